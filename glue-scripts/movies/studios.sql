select distinct
    imdb_id_typed as imdb_id,
    trim(name) as studio
from good
    lateral view explode(split(production_typed, ',')) names as name
where trim(name) <> ''
