-- Which genres of which decades does the audience rate higher?
-- Grain: one row a genre and decade of release with at least 30 ratings. A film counts in each of its genres.
-- Units: stars, 0.5 to 5. margin_rating is the 95 percent interval of the mean, plus and minus, as if ratings were
-- independent; they share users and films, so the true one is wider.

with ratings as (
    select
        user_id,
        imdb_id,
        rating
    from analytics.ratings
),

films as (
    select
        imdb_id,
        10 * (release_year / 10) as decade
    from analytics.movies
    where release_year is not null
),

genres as (
    select
        imdb_id,
        genre
    from analytics.movie_genres
),

genre_decades as (
    select
        genres.genre,
        films.decade,
        count(*) as ratings,
        count(distinct ratings.user_id) as users,
        count(distinct ratings.imdb_id) as films,
        avg(cast(ratings.rating as double precision)) as mean_rating,
        stddev_samp(cast(ratings.rating as double precision)) as deviation_rating
    from ratings
    inner join films on ratings.imdb_id = films.imdb_id
    inner join genres on ratings.imdb_id = genres.imdb_id
    group by genres.genre, films.decade
),

final as (
    select
        genre,
        decade,
        ratings,
        users,
        films,
        cast(mean_rating as decimal(3, 2)) as mean_rating,
        cast(1.96 * deviation_rating / sqrt(cast(ratings as double precision)) as decimal(3, 2)) as margin_rating
    from genre_decades
    where ratings >= 30
)

select *
from final
order by decade asc, mean_rating desc, genre asc
