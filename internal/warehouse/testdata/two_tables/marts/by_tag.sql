-- How often is each tag given?
select tag, count(*) as films -- of all dates
from history.film_tags
group by tag
