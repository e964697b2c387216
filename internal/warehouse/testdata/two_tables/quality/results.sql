-- How each rule fared in this run, from the documents that the workflow wrote, whether the datasets failed or not.
-- COPY binds no values: its literals are names that deployment fixes, and the execution's, of which the workflow
-- refuses any with other signs than letters, digits, - and _.

delete from staging.rule_results;

copy staging.rule_results
from 's3://{{artifacts_bucket}}/reports/quality/execution={{execution_name}}/'
iam_role '{{copy_role}}'
format as json 'noshred';

delete from audit.rule_results
where
    execution in (
        select cast(doc.execution as varchar(80)) as execution
        from staging.rule_results
    );

insert into audit.rule_results (
    execution,
    dataset,
    ingest_date,
    ruleset,
    evaluated_at,
    score,
    position,
    rule,
    result,
    reason,
    metrics
)
select
    cast(results.doc.execution as varchar(80)) as execution,
    cast(results.doc.dataset as varchar(100)) as dataset,
    cast(cast(results.doc.ingest_date as varchar(10)) as date) as ingest_date,
    cast(results.doc.ruleset as varchar(20)) as ruleset,
    cast(cast(results.doc.evaluated_at as varchar(30)) as timestamp) as evaluated_at,
    cast(results.doc.score as double precision) as score,
    cast(rule.position as integer) as position,
    left(cast(rule.rule as varchar(65535)), 8000) as rule,
    cast(rule.result as varchar(10)) as result,
    left(cast(rule.reason as varchar(65535)), 8000) as reason,
    rule.metrics
from staging.rule_results as results, results.doc.rules as rule;
