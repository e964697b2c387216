-- In which months do films come out, and in which do the films that come out earn?
-- Grain: one row a calendar month with a film. Only films with a real release day count: the source writes 1 January
-- where it knows the year alone, so January is what is left of it.
-- Units: films; US dollars of the time, the median only from 5 films of known box office on.

with films as (
    select
        released_on,
        box_office_usd
    from analytics.movies
    where
        released_on is not null
        and not (date_part(month, released_on) = 1 and date_part(day, released_on) = 1)
),

months as (
    select
        cast(date_part(month, released_on) as integer) as release_month,
        count(*) as films,
        count(box_office_usd) as films_with_box_office,
        median(cast(box_office_usd as double precision)) as median_box_office_usd
    from films
    group by date_part(month, released_on)
),

total as (
    select sum(films) as films
    from months
),

final as (
    select
        months.release_month,
        months.films,
        cast(100.0 * months.films / total.films as decimal(5, 1)) as share_percent,
        months.films_with_box_office,
        cast(
            case when months.films_with_box_office >= 5 then months.median_box_office_usd end as decimal(18, 2)
        ) as median_box_office_usd
    from months
    cross join total
)

select *
from final
order by release_month asc
