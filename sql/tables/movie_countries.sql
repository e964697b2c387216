-- Countries of origin of films, one row a pair. Lengths are bytes: twice the longest of the sample.

create table if not exists staging.movie_countries (
    imdb_id varchar(12),
    country varchar(80)
)
diststyle even;

-- Distributed by film, so that the join to films stays on its node; sorted by the date that a load replaces.
create table if not exists history.movie_countries (
    imdb_id varchar(12) not null,
    country varchar(80) not null,
    ingest_date date not null
)
distkey (imdb_id)
compound sortkey (ingest_date, imdb_id);
