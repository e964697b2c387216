-- Which genres did each decade make more of, and how long did their films run?
-- Grain: one row a genre and decade of release (1990 is 1990 to 1999). A film counts in each of its genres, so the
-- shares of a decade add up to more than 100. Units: films, minutes; the median runtime only from 5 films on.

with films as (
    select
        imdb_id,
        10 * (release_year / 10) as decade,
        runtime_minutes
    from analytics.movies
    where release_year is not null
),

genres as (
    select
        imdb_id,
        genre
    from analytics.movie_genres
),

decades as (
    select
        decade,
        count(*) as films_of_decade
    from films
    group by decade
),

genre_decades as (
    select
        genres.genre,
        films.decade,
        count(*) as films,
        count(films.runtime_minutes) as films_with_runtime,
        median(cast(films.runtime_minutes as double precision)) as median_runtime_minutes
    from films
    inner join genres on films.imdb_id = genres.imdb_id
    group by genres.genre, films.decade
),

final as (
    select
        genre_decades.genre,
        genre_decades.decade,
        genre_decades.films,
        cast(100.0 * genre_decades.films / decades.films_of_decade as decimal(5, 1)) as share_of_decade_percent,
        cast(
            case when genre_decades.films_with_runtime >= 5 then genre_decades.median_runtime_minutes end
            as decimal(5, 1)
        ) as median_runtime_minutes
    from genre_decades
    inner join decades on genre_decades.decade = decades.decade
)

select *
from final
order by decade asc, films desc, genre asc
