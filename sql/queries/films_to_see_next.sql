-- What do people who like Kung Fu Hustle also like? Put another title into the query.
-- low_lift is how many times more often than others they like it, at least.

select
    place,
    also_title,
    both_like,
    likers,
    low_lift
from marts.film_pairs
where title = 'Kung Fu Hustle'
order by place asc;
