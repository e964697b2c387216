-- In which months do the films come out that earn most?

select
    release_month,
    films,
    films_with_box_office,
    median_box_office_usd
from marts.releases_by_month
order by median_box_office_usd desc nulls last, release_month asc;
