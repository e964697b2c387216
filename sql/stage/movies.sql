delete from staging.movies;

copy staging.movies (
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
    production
)
from 's3://{{processed_bucket}}/staging/movies/movies/'
iam_role '{{copy_role}}'
format as parquet;
