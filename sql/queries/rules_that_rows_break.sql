-- Which rules do most rows break, and in which dataset?
-- A row that breaks two rules counts for both together.

select
    dataset,
    rules_broken,
    count(*) as rows_set_aside
from analytics.quarantine
group by dataset, rules_broken
order by rows_set_aside desc, dataset asc, rules_broken asc
limit 20;
