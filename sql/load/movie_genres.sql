delete from history.movie_genres
where ingest_date = '{{ingest_date}}';

insert into history.movie_genres (imdb_id, genre, ingest_date)
select
    imdb_id,
    genre,
    cast('{{ingest_date}}' as date) as ingest_date
from staging.movie_genres;
