-- How much did the films of each year take, and how much of it did the few biggest take?
-- Grain: one row a year of release. Units: US dollars of the time, so years are not comparable without a deflator.
-- Box office is known for about one film in six, the bigger ones first: read totals beside coverage_percent. The
-- median stands from 5 films of known box office on, the share of the ten biggest from 20 on.

with films as (
    select
        title,
        release_year,
        box_office_usd
    from analytics.movies
    where release_year is not null
),

ranked as (
    select
        title,
        release_year,
        box_office_usd,
        case
            when box_office_usd is not null
                then row_number() over (
                    partition by release_year
                    order by box_office_usd desc nulls last, title asc
                )
        end as place
    from films
),

years as (
    select
        release_year,
        count(*) as films,
        count(box_office_usd) as films_with_box_office,
        sum(box_office_usd) as box_office_usd,
        median(cast(box_office_usd as double precision)) as median_box_office_usd,
        max(case when place = 1 then title end) as top_film,
        max(case when place = 1 then box_office_usd end) as top_film_box_office_usd,
        sum(case when place <= 10 then box_office_usd end) as top_10_box_office_usd
    from ranked
    group by release_year
),

final as (
    select
        release_year,
        films,
        films_with_box_office,
        cast(100.0 * films_with_box_office / films as decimal(5, 1)) as coverage_percent,
        cast(box_office_usd as decimal(18, 2)) as box_office_usd,
        cast(
            case when films_with_box_office >= 5 then median_box_office_usd end as decimal(18, 2)
        ) as median_box_office_usd,
        top_film,
        top_film_box_office_usd,
        cast(
            case
                when films_with_box_office >= 20
                    then
                        100 * cast(top_10_box_office_usd as double precision)
                        / nullif(cast(box_office_usd as double precision), 0)
            end as decimal(5, 1)
        ) as top_10_share_percent
    from years
)

select *
from final
order by release_year asc
