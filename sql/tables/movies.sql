-- Films. Lengths are bytes: at least twice the longest text of the sample, for a letter may take up to four.

-- The types are those of the Parquet files, since COPY takes a column only as the type that the file holds.
create table if not exists staging.movies (
    imdb_id varchar(12),
    wikidata_id bigint,
    title varchar(400),
    release_year integer,
    certificate varchar(20),
    runtime_minutes integer,
    released_on date,
    director varchar(2000),
    writer varchar(1000),
    actors varchar(8000),
    critics_score integer,
    awards varchar(200),
    oscars integer,
    rt_rating decimal(3, 1),
    rt_meter integer,
    rt_reviews integer,
    rt_fresh integer,
    rt_rotten integer,
    box_office_usd decimal(14, 2),
    production varchar(1000)
)
diststyle even;

-- Distributed by film, as everything that is joined to films is: the joins of the marts stay on their node.
-- Sorted by date: a load replaces one date, and reads no block of another. Counts of reviews have no natural limit that
-- would make a smallint safe.
create table if not exists history.movies (
    imdb_id varchar(12) not null,
    wikidata_id bigint,
    title varchar(400) not null,
    release_year smallint,
    certificate varchar(20),
    runtime_minutes smallint,
    released_on date,
    director varchar(2000),
    writer varchar(1000),
    actors varchar(8000),
    critics_score smallint,
    awards varchar(200),
    oscars smallint,
    rt_rating decimal(3, 1),
    rt_meter smallint,
    rt_reviews integer,
    rt_fresh integer,
    rt_rotten integer,
    box_office_usd decimal(14, 2),
    production varchar(1000),
    ingest_date date not null
)
distkey (imdb_id)
compound sortkey (ingest_date, imdb_id);
