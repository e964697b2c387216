select distinct
    imdb_id_typed as imdb_id,
    trim(name) as genre
from good
    lateral view explode(split(genre, ',')) names as name
where trim(name) <> ''
