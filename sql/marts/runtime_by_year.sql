-- Do films get longer?
-- Grain: one row a year of release with at least 20 films of known runtime.
-- Units: minutes. The 10th and 90th percentile stand beside the median: nine of ten films are no longer than the last.
-- median_margin_minutes is the 95 percent interval of the median, plus and minus, from its standard error of
-- 1.2533 deviations over the root of the number of films, which holds for about normal distributions.

with films as (
    select
        release_year,
        cast(runtime_minutes as bigint) as runtime_minutes
    from analytics.movies
    where
        release_year is not null
        and runtime_minutes is not null
),

years as (
    select
        release_year,
        count(*) as films,
        sum(runtime_minutes) as minutes,
        -- Whole numbers, so that the sums are exact in whatever order they are added.
        sum(runtime_minutes * runtime_minutes) as squares,
        percentile_cont(0.1) within group (order by runtime_minutes) as p10_runtime_minutes,
        percentile_cont(0.5) within group (order by runtime_minutes) as median_runtime_minutes,
        percentile_cont(0.9) within group (order by runtime_minutes) as p90_runtime_minutes
    from films
    group by release_year
),

spread as (
    select
        release_year,
        films,
        minutes,
        p10_runtime_minutes,
        median_runtime_minutes,
        p90_runtime_minutes,
        sqrt(
            (squares - cast(minutes as double precision) * minutes / films) / (films - 1)
        ) as deviation_runtime_minutes
    from years
    where films >= 20
),

final as (
    select
        release_year,
        films as films_with_runtime,
        cast(cast(minutes as double precision) / films as decimal(5, 1)) as mean_runtime_minutes,
        cast(p10_runtime_minutes as decimal(5, 1)) as p10_runtime_minutes,
        cast(median_runtime_minutes as decimal(5, 1)) as median_runtime_minutes,
        cast(p90_runtime_minutes as decimal(5, 1)) as p90_runtime_minutes,
        cast(
            1.96 * 1.2533 * deviation_runtime_minutes / sqrt(cast(films as double precision)) as decimal(5, 1)
        ) as median_margin_minutes
    from spread
)

select *
from final
order by release_year asc
