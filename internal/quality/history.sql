-- How each rule fared in the newest runs of each dataset and ruleset, the oldest first.
-- :dataset and :rule are a name and a part of a rule's text, in any case; * stands for any. :runs is a number.

with runs as (
    select
        *,
        dense_rank() over (
            partition by dataset, ruleset
            order by evaluated_at desc, execution desc
        ) as age
    from audit.rule_results
    where
        :dataset = '*'
        or dataset = :dataset
)

select
    execution,
    dataset,
    ingest_date,
    ruleset,
    evaluated_at,
    score,
    rule,
    result,
    reason,
    json_serialize(metrics) as metrics
from runs
where
    age <= cast(:runs as integer)
    and (
        :rule = '*'
        or strpos(lower(rule), lower(:rule)) > 0
    )
order by evaluated_at asc, execution asc, dataset asc, ruleset asc, position asc
