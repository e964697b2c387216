delete from staging.movie_languages;

copy staging.movie_languages (imdb_id, language)
from 's3://{{processed_bucket}}/staging/movies/movie_languages/'
iam_role '{{copy_role}}'
format as parquet;
