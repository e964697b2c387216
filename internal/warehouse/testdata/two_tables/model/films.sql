create table analytics.films
distkey (id)
as
select {{columns}}, ingest_date from history.films;
