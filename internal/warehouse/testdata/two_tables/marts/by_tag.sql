-- How often is each label given?
select label, count(*) as films -- of all dates
from history.film_tags
group by label
