-- What one table of a dataset holds of the date: how many rows, and the sum of a hash of each, which is the same in
-- whatever order rows come and whatever nodes hold them. 60 bits of each row's MD5, all that STRTOL takes in whole hex
-- digits; a sum, and not an exclusive or, in which two equal rows would cancel out.

select
    cast('{{table}}' as varchar(100)) as table_name,
    count(*) as row_count,
    sum(cast(strtol(left(md5('{{table}}' || {{row}}), 15), 16) as decimal(38, 0))) as rows_hash
from history.{{table}}
where ingest_date = cast({{ingest_date}} as date)
