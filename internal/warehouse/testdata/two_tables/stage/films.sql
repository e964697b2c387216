delete from staging.films;
copy staging.films (id, title)
from 's3://{{processed_bucket}}/staging/films/films/'
iam_role '{{copy_role}}'
format as parquet;
