-- Which three studios made the most films in each decade?
-- A film counts for each of its studios; half of the films name none.

with counted as (
    select
        10 * (films.release_year / 10) as decade,
        studios.studio,
        count(*) as films
    from analytics.movies as films
    inner join analytics.movie_studios as studios on films.imdb_id = studios.imdb_id
    where films.release_year is not null
    group by 10 * (films.release_year / 10), studios.studio
),

ranked as (
    select
        decade,
        studio,
        films,
        row_number() over (
            partition by decade
            order by films desc, studio asc
        ) as place
    from counted
)

select
    decade,
    place,
    studio,
    films
from ranked
where place <= 3
order by decade asc, place asc;
