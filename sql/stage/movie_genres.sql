delete from staging.movie_genres;

copy staging.movie_genres (imdb_id, genre)
from 's3://{{processed_bucket}}/staging/movies/movie_genres/'
iam_role '{{copy_role}}'
format as parquet;
