-- What did the last runs load, and did a date that was run again bring the same rows?
-- same_rows_as_before compares the hash of the rows with that of the date's load before; empty for a first load.

with loads as (
    select
        loaded_at,
        dataset,
        ingest_date,
        rows_read,
        rows_loaded,
        rows_quarantined,
        rows_hash,
        lag(rows_hash) over (
            partition by dataset, ingest_date
            order by loaded_at
        ) as hash_before
    from audit.loads
)

select
    loaded_at,
    dataset,
    ingest_date,
    rows_read,
    rows_loaded,
    rows_quarantined,
    rows_hash = hash_before as same_rows_as_before
from loads
order by loaded_at desc, dataset asc
limit 20;
