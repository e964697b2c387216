delete from staging.{{table}};
copy staging.{{table}} (
    {{columns}}
)
from 's3://{{processed_bucket}}/staging/{{dataset}}/{{table}}/'
iam_role '{{copy_role}}'
format as parquet;
