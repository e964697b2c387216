-- Of the users who rated first in a month, how many rate again in the months after?
-- Grain: one row a first month and number of months since, of cohorts with at least 20 users; month 0 is the first one.
-- Months without a rating have no users. Units: users, ratings; percent of the cohort, low_percent and high_percent are
-- Wilson's interval at 95 percent (E. B. Wilson, 1927, Journal of the American Statistical Association 22, 209-212).
-- Months are calendar months in UTC: one who starts late has a short month 0, and the last month may be unfinished.

with ratings as (
    select
        user_id,
        cast(date_trunc('month', rated_at) as date) as rated_month
    from analytics.ratings
),

first_months as (
    select
        user_id,
        min(rated_month) as first_month
    from ratings
    group by user_id
),

cohorts as (
    select
        first_month,
        count(*) as cohort_users
    from first_months
    group by first_month
    having count(*) >= 20
),

activity as (
    select
        cohorts.first_month,
        cast(cohorts.cohort_users as double precision) as cohort_users,
        datediff(month, cohorts.first_month, ratings.rated_month) as months_since_first,
        count(distinct ratings.user_id) as users,
        count(*) as ratings
    from ratings
    inner join first_months on ratings.user_id = first_months.user_id
    inner join cohorts on first_months.first_month = cohorts.first_month
    group by cohorts.first_month, cohorts.cohort_users, datediff(month, cohorts.first_month, ratings.rated_month)
),

intervals as (
    select
        first_month,
        cohort_users,
        months_since_first,
        users,
        ratings,
        (users + 1.9208) / (cohort_users + 3.8416) as middle,
        1.96 * sqrt(users * (cohort_users - users) / cohort_users + 0.9604) / (cohort_users + 3.8416) as margin
    from activity
),

final as (
    select
        first_month,
        cast(months_since_first as integer) as months_since_first,
        cast(cohort_users as bigint) as cohort_users,
        users,
        ratings,
        cast(100 * users / cohort_users as decimal(5, 1)) as active_percent,
        cast(100 * greatest(middle - margin, 0) as decimal(5, 1)) as low_percent,
        cast(100 * least(middle + margin, 1) as decimal(5, 1)) as high_percent
    from intervals
)

select *
from final
order by first_month asc, months_since_first asc
