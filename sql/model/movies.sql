-- Films, one row an imdb_id: the row of the newest batch that holds the film.
-- Distributed by film, as all that is joined to films is, so that those joins stay on their node. Sorted by year of
-- release, by which most marts of the industry group.

create table analytics.movies
distkey (imdb_id)
compound sortkey (release_year, imdb_id)
as
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
