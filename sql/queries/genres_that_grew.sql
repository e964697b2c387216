-- Which genres have a greater share of the films since 2000 than they had before 1980?
-- In points of percent; of genres with at least 100 films in both times. A film counts in each of its genres.

with films as (
    select
        imdb_id,
        case when release_year < 1980 then 1 else 0 end as early,
        case when release_year >= 2000 then 1 else 0 end as late
    from analytics.movies
    where
        release_year < 1980
        or release_year >= 2000
),

totals as (
    select
        sum(early) as early,
        sum(late) as late
    from films
),

counted as (
    select
        genres.genre,
        sum(films.early) as early,
        sum(films.late) as late
    from films
    inner join analytics.movie_genres as genres on films.imdb_id = genres.imdb_id
    group by genres.genre
)

select
    counted.genre,
    cast(100.0 * counted.early / totals.early as decimal(5, 1)) as percent_before_1980,
    cast(100.0 * counted.late / totals.late as decimal(5, 1)) as percent_since_2000,
    cast(100.0 * counted.late / totals.late - 100.0 * counted.early / totals.early as decimal(5, 1)) as points
from counted
cross join totals
where
    counted.early >= 100
    and counted.late >= 100
order by points desc, counted.genre asc;
