-- The bad rows of the datasets that this run loads replace those of the same date. This comes after the rows of
-- audit.loads in the transaction that loads: what is staged of a dataset that failed stays out.

delete from history.quarantine
where
    ingest_date = cast({{ingest_date}} as date)
    and dataset in (
        select dataset
        from audit.loads
        where execution = cast({{execution}} as varchar(80))
    );

insert into history.quarantine (dataset, ingest_date, execution, rules_broken, doc)
select
    staged.dataset,
    cast({{ingest_date}} as date) as ingest_date,
    cast({{execution}} as varchar(80)) as execution,
    left(cast(staged.doc.rules_broken as varchar(65535)), 8000) as rules_broken,
    staged.doc
from (
    {{staged}}
) as staged
where
    staged.dataset in (
        select loads.dataset
        from audit.loads
        where loads.execution = cast({{execution}} as varchar(80))
    );
