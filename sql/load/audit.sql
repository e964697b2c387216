delete from audit.loads
where
    execution = '{{execution}}'
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
    loaded_at
)
select
    '{{execution}}' as execution,
    '{{dataset}}' as dataset,
    cast('{{ingest_date}}' as date) as ingest_date,
    {{rows_read}} as rows_read,
    {{rows_processed}} as rows_processed,
    {{rows_quarantined}} as rows_quarantined,
    {{rows_duplicates}} as rows_duplicate,
    count(*) as rows_loaded,
    getdate() as loaded_at
from history.{{table}}
where ingest_date = '{{ingest_date}}';
