delete from history.movie_countries
where ingest_date = '{{ingest_date}}';

insert into history.movie_countries (imdb_id, country, ingest_date)
select
    imdb_id,
    country,
    cast('{{ingest_date}}' as date) as ingest_date
from staging.movie_countries;
