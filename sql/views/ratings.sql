-- Ratings, one row a user, film and time: the row of the newest batch that holds it.

with ranked as (
    select
        {{columns}},
        ingest_date,
        row_number() over (
            partition by user_id, imdb_id, rated_at
            order by ingest_date desc, rating asc
        ) as newest
    from history.ratings
)

select
    {{columns}},
    ingest_date
from ranked
where newest = 1;
