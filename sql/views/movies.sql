-- Films, one row an imdb_id: the row of the newest batch that holds the film.

with ranked as (
    select
        {{columns}},
        ingest_date,
        row_number() over (
            partition by imdb_id
            order by ingest_date desc, wikidata_id asc
        ) as newest
    from history.movies
)

select
    {{columns}},
    ingest_date
from ranked
where newest = 1;
