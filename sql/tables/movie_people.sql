-- Who made films, one row a film, person and part in it: director, writer or actor. The source has names alone, so two
-- people of one name are one here. Lengths are bytes: twice the longest of the sample.

create table if not exists staging.movie_people (
    imdb_id varchar(12),
    name varchar(120),
    role varchar(8)
)
diststyle even;

-- Distributed by film, so that the join to films stays on its node, and so does the join of a film's people with each
-- other; sorted by the date that a load replaces.
create table if not exists history.movie_people (
    imdb_id varchar(12) not null,
    name varchar(120) not null,
    role varchar(8) not null,
    ingest_date date not null
)
distkey (imdb_id)
compound sortkey (ingest_date, imdb_id);
