-- Ratings, one row a user, film and time: the row of the newest batch that holds it. Ranked once here, so that no mart
-- does it again.
-- Distributed and sorted by film: most marts join ratings to films and group by film, which then needs neither a
-- redistribution nor a sort. Those about users have to move the rows once.

create table analytics.ratings
distkey (imdb_id)
compound sortkey (imdb_id, user_id)
as
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
