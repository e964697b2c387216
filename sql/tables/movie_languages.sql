-- Languages of films, one row a pair. Lengths are bytes: twice the longest of the sample.

create table if not exists staging.movie_languages (
    imdb_id varchar(12),
    language varchar(60)
)
diststyle even;

-- Distributed by film, so that the join to films stays on its node; sorted by the date that a load replaces.
create table if not exists history.movie_languages (
    imdb_id varchar(12) not null,
    language varchar(60) not null,
    ingest_date date not null
)
distkey (imdb_id)
compound sortkey (ingest_date, imdb_id);
