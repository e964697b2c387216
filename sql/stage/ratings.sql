delete from staging.ratings;

copy staging.ratings (user_id, imdb_id, rating, rated_at)
from 's3://{{processed_bucket}}/staging/ratings/ratings/'
iam_role '{{copy_role}}'
format as parquet;
