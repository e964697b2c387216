delete from history.ratings
where ingest_date = '{{ingest_date}}';

insert into history.ratings (user_id, imdb_id, rating, rated_at, ingest_date)
select
    user_id,
    imdb_id,
    rating,
    rated_at,
    cast('{{ingest_date}}' as date) as ingest_date
from staging.ratings;
