-- Do critics judge the films of some years more kindly than of others?
-- Grain: one row a year of release. Units: points of 0 to 100 (Metacritic, and the share of favourable reviews at
-- Rotten Tomatoes). Means only from 10 scored films on. Old films were scored late, and mostly those that are
-- remembered: the share of scored films stands beside the mean.

with films as (
    select
        release_year,
        critics_score,
        rt_meter
    from analytics.movies
    where release_year is not null
),

years as (
    select
        release_year,
        count(*) as films,
        count(critics_score) as films_with_critics_score,
        avg(cast(critics_score as double precision)) as mean_critics_score,
        stddev_samp(cast(critics_score as double precision)) as deviation_critics_score,
        count(rt_meter) as films_with_rt_meter,
        avg(cast(rt_meter as double precision)) as mean_rt_meter
    from films
    group by release_year
),

final as (
    select
        release_year,
        films,
        films_with_critics_score,
        cast(100.0 * films_with_critics_score / films as decimal(5, 1)) as coverage_percent,
        cast(
            case when films_with_critics_score >= 10 then mean_critics_score end as decimal(4, 1)
        ) as mean_critics_score,
        -- 95 percent interval of the mean, plus and minus.
        cast(
            case
                when films_with_critics_score >= 10
                    then 1.96 * deviation_critics_score / sqrt(cast(films_with_critics_score as double precision))
            end as decimal(4, 1)
        ) as margin_critics_score,
        films_with_rt_meter,
        cast(case when films_with_rt_meter >= 10 then mean_rt_meter end as decimal(4, 1)) as mean_rt_meter
    from years
)

select *
from final
order by release_year asc
