-- What this run loaded, for the reconciliation.

select
    dataset,
    rows_loaded
from audit.loads
where execution = '{{execution}}'
order by dataset asc;
