-- How much does the audience rate over time, and how much of it comes from users who were not there before?
-- Grain: one row a month (UTC) with a rating. A user is new in the month of the first rating that is known.
-- Units: ratings, users, films; stars, 0.5 to 5, the mean only from 30 ratings on. margin_rating is the 95 percent
-- interval of the mean, plus and minus, as if ratings were independent; they share users, so the true one is wider.

with ratings as (
    select
        user_id,
        imdb_id,
        rating,
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

months as (
    select
        ratings.rated_month,
        count(*) as ratings,
        count(distinct ratings.user_id) as users,
        count(distinct case when first_months.first_month = ratings.rated_month then ratings.user_id end) as new_users,
        count(distinct ratings.imdb_id) as films,
        avg(cast(ratings.rating as double precision)) as mean_rating,
        stddev_samp(cast(ratings.rating as double precision)) as deviation_rating
    from ratings
    inner join first_months on ratings.user_id = first_months.user_id
    group by ratings.rated_month
),

final as (
    select
        rated_month,
        ratings,
        users,
        new_users,
        films,
        cast(1.0 * ratings / users as decimal(10, 1)) as ratings_per_user,
        cast(case when ratings >= 30 then mean_rating end as decimal(3, 2)) as mean_rating,
        cast(
            case when ratings >= 30 then 1.96 * deviation_rating / sqrt(cast(ratings as double precision)) end
            as decimal(3, 2)
        ) as margin_rating
    from months
)

select *
from final
order by rated_month asc
