-- Which ten films took most at the box office, and what did the critics say of them?
-- US dollars of the time: a film of 1950 would have taken more in dollars of today.

select
    title,
    release_year,
    box_office_usd,
    critics_score
from analytics.movies
where box_office_usd is not null
order by box_office_usd desc, imdb_id asc
limit 10;
