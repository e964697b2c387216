-- Which directors come back to the same actor most, and over how many years?

select
    person as director,
    partner as actor,
    films,
    person_films as films_of_director,
    last_year - first_year as years_apart
from marts.collaborations
where pairing = 'director and actor'
order by films desc, director asc, actor asc
limit 10;
