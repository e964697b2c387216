-- Production companies of films, one row a pair: the pairs of the batch that gave the film, without those it dropped.
-- Distributed and sorted by film, by which it is joined.

create table analytics.movie_studios
distkey (imdb_id)
sortkey (imdb_id)
as
with pairs as (
    select
        imdb_id,
        studio,
        ingest_date
    from history.movie_studios
),

films as (
    select
        imdb_id,
        ingest_date
    from analytics.movies
)

select distinct
    pairs.imdb_id,
    pairs.studio
from pairs
inner join films
    on
        pairs.imdb_id = films.imdb_id
        and pairs.ingest_date = films.ingest_date;
