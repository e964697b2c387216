delete from staging.film_tags;
copy staging.film_tags (id, label)
from 's3://{{processed_bucket}}/staging/films/film_tags/'
iam_role '{{copy_role}}'
format as parquet;
