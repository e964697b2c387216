select count(*) from staging.{{table}};
select rules_broken, count(*) from staging.quarantine_{{dataset}} group by 1;
