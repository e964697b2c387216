-- What the copies brought: the dataset's own rows and its bad rows, then the bad ones by the rules they broke.

select
    (select count(*) from staging.{{table}}) as processed,
    (select count(*) from staging.quarantine_{{dataset}}) as quarantined;

-- The workflow carries the answer in its state, so the rarest combinations are left out.
select
    rules_broken,
    count(*) as row_count
from staging.quarantine_{{dataset}}
group by rules_broken
order by row_count desc, rules_broken asc
limit 100;
