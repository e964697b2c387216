-- What the copies brought: the dataset's own rows and its bad rows, then the bad ones by the rules they broke.

select
    (select count(*) from staging.{{table}}) as processed,
    (select count(*) from staging.quarantined_{{dataset}}) as quarantined;

-- The workflow carries the answer in its state, so the rarest combinations are left out.
with broken as (
    select left(cast(doc.rules_broken as varchar(65535)), 8000) as rules_broken
    from staging.quarantined_{{dataset}}
)

select
    rules_broken,
    count(*) as row_count
from broken
group by rules_broken
order by row_count desc, rules_broken asc
limit 100;
