-- Who made films, one row a film, person and part in it: those of the batch that gave the film, without those it
-- dropped.
-- Distributed and sorted by film, by which it is joined.

create table analytics.movie_people
distkey (imdb_id)
sortkey (imdb_id)
as
with credits as (
    select
        imdb_id,
        name,
        role,
        ingest_date
    from history.movie_people
),

films as (
    select
        imdb_id,
        ingest_date
    from analytics.movies
)

select distinct
    credits.imdb_id,
    credits.name,
    credits.role
from credits
inner join films
    on
        credits.imdb_id = films.imdb_id
        and credits.ingest_date = films.ingest_date;
