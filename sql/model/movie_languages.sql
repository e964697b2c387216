-- Languages of films, one row a pair: the pairs of the batch that gave the film, without those it dropped.
-- Distributed and sorted by film, by which it is joined.

create table analytics.movie_languages
distkey (imdb_id)
sortkey (imdb_id)
as
with pairs as (
    select
        imdb_id,
        language,
        ingest_date
    from history.movie_languages
),

films as (
    select
        imdb_id,
        ingest_date
    from analytics.movies
)

select distinct
    pairs.imdb_id,
    pairs.language
from pairs
inner join films
    on
        pairs.imdb_id = films.imdb_id
        and pairs.ingest_date = films.ingest_date;
