-- What the copies brought: the dataset's own rows, and its bad rows by the rules they broke.

select count(*) as row_count from staging.{{table}};

select
    rules_broken,
    count(*) as row_count
from staging.quarantine_{{dataset}}
group by rules_broken
order by row_count desc, rules_broken asc;
