-- Ratings by the audience, one row a user, film and time.

create table if not exists staging.ratings (
    user_id bigint,
    imdb_id varchar(12),
    rating decimal(2, 1),
    rated_at timestamp
)
diststyle even;

-- Distributed by film, as films are: the joins of the marts stay on their node, and no film holds so many ratings
-- that its node would wait for itself. Sorted by the date that a load replaces.
create table if not exists history.ratings (
    user_id bigint not null,
    imdb_id varchar(12) not null,
    rating decimal(2, 1) not null,
    rated_at timestamp not null,
    ingest_date date not null
)
distkey (imdb_id)
compound sortkey (ingest_date, imdb_id);
