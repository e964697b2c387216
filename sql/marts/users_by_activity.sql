-- How much of all rating do the heaviest users do, and do they judge otherwise than light ones?
-- Grain: one row a tenth of the users, by number of ratings: tenth 1 holds the heaviest. Users with equally many
-- ratings are ordered by their number, so that a tenth is always a tenth; with fewer than 10 users, some are missing.
-- Units: users, ratings; stars, 0.5 to 5; share_percent of all ratings. mean_user_rating weighs each user alike,
-- mean_rating each rating. margin_user_rating is the 95 percent interval of the former, plus and minus; users are
-- independent of each other where ratings are not.

with ratings as (
    select
        user_id,
        imdb_id,
        -- Half stars as whole numbers, whose sums are exact in whatever order they are added.
        cast(2 * rating as bigint) as halves
    from analytics.ratings
),

users as (
    select
        user_id,
        count(*) as ratings,
        sum(halves) as halves,
        -- Rounded, so that sums of means are exact too.
        cast(cast(sum(halves) as double precision) / count(*) as decimal(9, 6)) as mean_halves
    from ratings
    group by user_id
),

tenths as (
    select
        ratings,
        halves,
        mean_halves,
        ntile(10) over (
            order by ratings desc, user_id asc
        ) as tenth
    from users
),

grouped as (
    select
        tenth,
        count(*) as users,
        min(ratings) as fewest_ratings,
        max(ratings) as most_ratings,
        sum(ratings) as ratings,
        cast(sum(halves) as double precision) as halves,
        cast(sum(mean_halves) as double precision) as means,
        cast(sum(mean_halves * mean_halves) as double precision) as squares
    from tenths
    group by tenth
),

total as (
    select cast(sum(ratings) as double precision) as ratings
    from grouped
),

final as (
    select
        cast(grouped.tenth as integer) as tenth,
        grouped.users,
        grouped.fewest_ratings,
        grouped.most_ratings,
        cast(grouped.ratings as bigint) as ratings,
        cast(100 * grouped.ratings / total.ratings as decimal(5, 1)) as share_percent,
        cast(grouped.halves / grouped.ratings / 2 as decimal(3, 2)) as mean_rating,
        cast(grouped.means / grouped.users / 2 as decimal(3, 2)) as mean_user_rating,
        cast(
            case
                when grouped.users >= 30
                    then 1.96 / 2 * sqrt(
                        greatest(grouped.squares - grouped.means * grouped.means / grouped.users, 0)
                        / (grouped.users - 1) / grouped.users
                    )
            end as decimal(3, 2)
        ) as margin_user_rating
    from grouped
    cross join total
)

select *
from final
order by tenth asc
