-- How many of the users who rated first in a month rate again one, two and three months later?
-- Percent of the month's new users, with Wilson's interval at 95 percent.

select
    first_month,
    months_since_first,
    cohort_users,
    active_percent,
    low_percent,
    high_percent
from marts.user_cohorts_by_month
where months_since_first between 1 and 3
order by first_month asc, months_since_first asc;
