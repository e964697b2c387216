delete from audit.loads where execution = {{execution}};
insert into audit.loads (execution, rows_loaded)
select {{execution}}, {{rows_processed}} + count(*) - min(t.h) from ({{loaded}}) as t;
