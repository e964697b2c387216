delete from audit.loads where execution = '{{execution}}';
insert into audit.loads (execution, rows_loaded) select '{{execution}}', count(*) from history.{{table}};
