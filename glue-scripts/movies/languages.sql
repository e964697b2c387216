select distinct
    imdb_id_typed as imdb_id,
    trim(name) as language
from good
    lateral view explode(split(language, ',')) names as name
where trim(name) <> ''
