delete from staging.movie_countries;

copy staging.movie_countries (imdb_id, country)
from 's3://{{processed_bucket}}/staging/movies/movie_countries/'
iam_role '{{copy_role}}'
format as parquet;
