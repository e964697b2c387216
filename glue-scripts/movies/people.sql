select distinct
    imdb_id_typed as imdb_id,
    trim(name) as name,
    role
from good
    lateral view explode(map('director', director_typed, 'writer', writer_typed, 'actor', cast_typed)) as role, names
    lateral view explode(split(names, ',')) as name
where trim(name) <> ''
