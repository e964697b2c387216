-- The numbers that rules measured, one row a batch, ruleset, rule and metric: the newest run of each.

select
    results.dataset,
    results.ingest_date,
    results.ruleset,
    results.rule,
    cast(metric.name as varchar(1000)) as metric,
    cast(metric.value as double precision) as value,
    results.execution
from analytics.rule_results as results, results.metrics as metric
