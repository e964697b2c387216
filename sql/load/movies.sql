delete from history.movies
where ingest_date = '{{ingest_date}}';

insert into history.movies (
    imdb_id,
    wikidata_id,
    title,
    release_year,
    certificate,
    runtime_minutes,
    released_on,
    director,
    writer,
    actors,
    critics_score,
    awards,
    oscars,
    rt_rating,
    rt_meter,
    rt_reviews,
    rt_fresh,
    rt_rotten,
    box_office_usd,
    production,
    ingest_date
)
select
    imdb_id,
    wikidata_id,
    title,
    release_year,
    certificate,
    runtime_minutes,
    released_on,
    director,
    writer,
    actors,
    critics_score,
    awards,
    oscars,
    rt_rating,
    rt_meter,
    rt_reviews,
    rt_fresh,
    rt_rotten,
    box_office_usd,
    production,
    cast('{{ingest_date}}' as date) as ingest_date
from staging.movies;
