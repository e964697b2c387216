-- Rows that were set aside, one row each, of the newest version of each batch: the rules that it broke, one a line, and
-- the row as it came, in which a column is found by its name, as in q.row.title.

select
    dataset,
    ingest_date,
    execution,
    rules_broken,
    doc as row
from history.quarantine
