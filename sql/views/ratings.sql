-- Ratings, one row a user, film and time: the row of the newest batch that holds it.

with ratings as (
    select
        user_id,
        imdb_id,
        rating,
        rated_at,
        ingest_date
    from history.ratings
),

ranked as (
    select
        *,
        row_number() over (
            partition by user_id, imdb_id, rated_at
            order by ingest_date desc, rating asc
        ) as newest
    from ratings
)

select
    user_id,
    imdb_id,
    rating,
    rated_at,
    ingest_date
from ranked
where newest = 1;
