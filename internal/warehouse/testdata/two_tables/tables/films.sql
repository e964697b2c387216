create table if not exists staging.films (
    id bigint, -- the key; of a film
    title varchar(40)
);
create table if not exists history.films (
    id bigint not null encode raw,
    title varchar(40) default ';',
    ingest_date date,
    primary key (id)
) distkey (id) sortkey (ingest_date);
