select (select count(*) from staging.{{table}}) as processed, (select count(*) from staging.quarantined_{{dataset}}) as quarantined;
select rules_broken, count(*) from staging.quarantined_{{dataset}} group by 1;
