create table if not exists staging.film_tags (
    id bigint, -- the key; of a film
    label varchar(40)
);
create table if not exists history.film_tags (
    id bigint not null encode raw,
    label varchar(40) default ';',
    ingest_date date,
    primary key (id)
) distkey (id) sortkey (ingest_date);
