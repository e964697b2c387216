-- What this run loads of a dataset. A date that is loaded again has the same hash if the rows are the same.

delete from audit.loads
where
    execution = cast({{execution}} as varchar(80))
    and dataset = '{{dataset}}';

-- rows_loaded is counted in the table itself, so that it can disagree with what was processed.
insert into audit.loads (
    execution,
    dataset,
    ingest_date,
    rows_read,
    rows_processed,
    rows_quarantined,
    rows_duplicate,
    rows_loaded,
    rows_hash,
    loaded_at
)
select
    cast({{execution}} as varchar(80)) as execution,
    cast('{{dataset}}' as varchar(100)) as dataset,
    cast({{ingest_date}} as date) as ingest_date,
    cast({{rows_read}} as bigint) as rows_read,
    cast({{rows_processed}} as bigint) as rows_processed,
    cast({{rows_quarantined}} as bigint) as rows_quarantined,
    cast({{rows_duplicates}} as bigint) as rows_duplicate,
    sum(case when loaded.table_name = '{{table}}' then loaded.row_count else 0 end) as rows_loaded,
    coalesce(sum(loaded.rows_hash), 0) as rows_hash,
    getdate() as loaded_at
from (
    {{loaded}}
) as loaded;
