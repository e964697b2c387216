-- How each rule fared, one row a batch, ruleset and rule: the newest run of each. audit.rule_results has every run.

with runs as (
    select
        *,
        dense_rank() over (
            partition by dataset, ingest_date, ruleset
            order by evaluated_at desc, execution desc
        ) as newest
    from audit.rule_results
)

select
    dataset,
    ingest_date,
    ruleset,
    rule,
    result,
    reason,
    metrics,
    score,
    execution,
    evaluated_at
from runs
where newest = 1
