delete from history.movie_languages
where ingest_date = '{{ingest_date}}';

insert into history.movie_languages (imdb_id, language, ingest_date)
select
    imdb_id,
    language,
    cast('{{ingest_date}}' as date) as ingest_date
from staging.movie_languages;
