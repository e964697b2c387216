delete from history.{{table}} where ingest_date = {{ingest_date}};
insert into history.{{table}} ({{columns}}, ingest_date)
select {{columns}}, {{ingest_date}} from staging.{{table}};
