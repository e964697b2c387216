-- The bad rows that are staged of one dataset; the statement that keeps them takes those of all.

select
    cast('{{dataset}}' as varchar(100)) as dataset,
    doc
from staging.quarantined_{{dataset}}
