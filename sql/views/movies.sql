-- Films, one row an imdb_id: the row of the newest batch that holds the film.

with films as (
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
        ingest_date
    from history.movies
),

ranked as (
    select
        *,
        row_number() over (
            partition by imdb_id
            order by ingest_date desc, wikidata_id asc
        ) as newest
    from films
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
    ingest_date
from ranked
where newest = 1;
