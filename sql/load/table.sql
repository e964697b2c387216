-- The rows of one date replaced by what was staged, for every table of every dataset.

delete from history.{{table}}
where ingest_date = cast({{ingest_date}} as date);

insert into history.{{table}} (
    {{columns}},
    ingest_date
)
select
    {{columns}},
    cast({{ingest_date}} as date) as ingest_date
from staging.{{table}};
