delete from history.film_tags where ingest_date = '{{ingest_date}}';
insert into history.film_tags (id, tag, ingest_date)
select id, tag, '{{ingest_date}}' from staging.film_tags;
