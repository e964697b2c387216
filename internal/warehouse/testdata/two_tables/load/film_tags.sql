delete from history.film_tags where ingest_date = '{{ingest_date}}';
insert into history.film_tags (id, label, ingest_date)
select id, label, '{{ingest_date}}' from staging.film_tags;
