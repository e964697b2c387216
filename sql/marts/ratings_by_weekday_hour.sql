-- When does the audience rate, and is it kinder at some hours than at others?
-- Grain: one row a weekday and hour, both in UTC (the source knows no time zones), with a rating.
-- Units: ratings, users; stars, 0.5 to 5, the mean only from 30 ratings on. margin_rating is the 95 percent interval of
-- the mean, plus and minus, as if ratings were independent; users rate many films in a row, so the true one is wider.

with ratings as (
    select
        user_id,
        cast(date_part(dow, rated_at) as integer) as sunday_based,
        cast(date_part(hour, rated_at) as integer) as hour_utc,
        -- Half stars as whole numbers, whose sums are exact in whatever order they are added.
        cast(2 * rating as bigint) as halves
    from analytics.ratings
),

slots as (
    select
        sunday_based,
        hour_utc,
        count(*) as ratings,
        count(distinct user_id) as users,
        sum(halves) as halves,
        sum(halves * halves) as squares
    from ratings
    group by sunday_based, hour_utc
),

total as (
    select sum(ratings) as ratings
    from slots
),

final as (
    select
        -- Monday is 1, Sunday is 7.
        case when slots.sunday_based = 0 then 7 else slots.sunday_based end as weekday,
        slots.hour_utc,
        slots.ratings,
        slots.users,
        cast(100.0 * slots.ratings / total.ratings as decimal(5, 2)) as share_percent,
        cast(
            case when slots.ratings >= 30 then cast(slots.halves as double precision) / slots.ratings / 2 end
            as decimal(3, 2)
        ) as mean_rating,
        cast(
            case
                when slots.ratings >= 30
                    then 1.96 / 2 * sqrt(
                        (slots.squares - cast(slots.halves as double precision) * slots.halves / slots.ratings)
                        / (slots.ratings - 1) / slots.ratings
                    )
            end as decimal(3, 2)
        ) as margin_rating
    from slots
    cross join total
)

select *
from final
order by weekday asc, hour_utc asc
