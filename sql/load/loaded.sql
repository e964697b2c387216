-- What this run loaded, for the reconciliation.

select
    dataset,
    rows_loaded
from audit.loads
where execution = cast({{execution}} as varchar(80))
order by dataset asc;
