delete from history.films where ingest_date = '{{ingest_date}}';
insert into history.films (id, title, ingest_date)
select id, title, '{{ingest_date}}' from staging.films;
