select distinct
    imdb_id_typed as imdb_id,
    trim(name) as country
from good
    lateral view explode(split(country, ',')) names as name
where trim(name) <> ''
