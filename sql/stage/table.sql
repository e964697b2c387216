-- One published table of the batch into its table in staging, for every table of every dataset. The columns are those
-- of the table's file, in its order: COPY of Parquet goes by position, and a column that was added later stands last
-- in its table.

delete from staging.{{table}};

copy staging.{{table}} (
    {{columns}}
)
from 's3://{{processed_bucket}}/staging/{{dataset}}/{{table}}/'
iam_role '{{copy_role}}'
format as parquet;
