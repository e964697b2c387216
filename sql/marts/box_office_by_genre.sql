-- Which genres earn most, by the typical film and in total?
-- Grain: one row a genre with at least 10 films of known box office. A film counts in each of its genres.
-- Units: US dollars of the time, not corrected for inflation: mean_release_year tells of which time. The mean beside
-- the median shows how much a few hits carry.

with films as (
    select
        imdb_id,
        release_year,
        box_office_usd
    from analytics.movies
),

genres as (
    select
        imdb_id,
        genre
    from analytics.movie_genres
),

earnings as (
    select
        genres.genre,
        count(*) as films,
        count(films.box_office_usd) as films_with_box_office,
        sum(films.box_office_usd) as box_office_usd,
        median(cast(films.box_office_usd as double precision)) as median_box_office_usd,
        avg(cast(films.box_office_usd as double precision)) as mean_box_office_usd,
        avg(
            case when films.box_office_usd is not null then cast(films.release_year as double precision) end
        ) as mean_release_year
    from films
    inner join genres on films.imdb_id = genres.imdb_id
    group by genres.genre
),

final as (
    select
        genre,
        films,
        films_with_box_office,
        cast(100.0 * films_with_box_office / films as decimal(5, 1)) as coverage_percent,
        cast(box_office_usd as decimal(18, 2)) as box_office_usd,
        cast(median_box_office_usd as decimal(18, 2)) as median_box_office_usd,
        cast(mean_box_office_usd as decimal(18, 2)) as mean_box_office_usd,
        cast(mean_release_year as decimal(5, 1)) as mean_release_year
    from earnings
    where films_with_box_office >= 10
)

select *
from final
order by median_box_office_usd desc, genre asc
