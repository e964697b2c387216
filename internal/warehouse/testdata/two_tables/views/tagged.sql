select id from history.film_tags
