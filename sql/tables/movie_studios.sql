-- Production companies of films, one row a pair. Lengths are bytes: twice the longest of the sample.

create table if not exists staging.movie_studios (
    imdb_id varchar(12),
    studio varchar(160)
)
diststyle even;

-- Distributed by film, so that the join to films stays on its node; sorted by the date that a load replaces.
create table if not exists history.movie_studios (
    imdb_id varchar(12) not null,
    studio varchar(160) not null,
    ingest_date date not null
)
distkey (imdb_id)
compound sortkey (ingest_date, imdb_id);
