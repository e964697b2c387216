select count(*) as films from history.films
