-- How much of a year's box office do the few biggest films take?
-- Grain: one row a year of release with at least 20 films of known box office.
-- Units: percent of the year's known box office, in US dollars of the time: as shares they compare across years.
-- gini is Gini's coefficient, 0 when all films take the same and near 1 when one takes all. It is that of the films
-- whose box office is known, the bigger ones first, so the true one is higher: read it beside coverage_percent.

with films as (
    select
        imdb_id,
        release_year,
        box_office_usd
    from analytics.movies
    where release_year is not null
),

years as (
    select
        release_year,
        count(*) as films,
        count(box_office_usd) as earners,
        sum(box_office_usd) as box_office_usd
    from films
    group by release_year
),

ranked as (
    select
        release_year,
        box_office_usd,
        row_number() over (
            partition by release_year
            order by box_office_usd desc, imdb_id asc
        ) as place
    from films
    where box_office_usd is not null
),

shares as (
    select
        years.release_year,
        years.films,
        years.earners,
        years.box_office_usd,
        max(ranked.box_office_usd) as top_film_box_office_usd,
        sum(case when ranked.place <= 5 then ranked.box_office_usd else 0 end) as top_5_box_office_usd,
        -- A tenth of the films, rounded up.
        sum(
            case when ranked.place <= (years.earners + 9) / 10 then ranked.box_office_usd else 0 end
        ) as top_tenth_box_office_usd,
        -- Places from the smallest up: an exact sum of decimals, in whatever order it is added.
        sum((years.earners - ranked.place + 1) * ranked.box_office_usd) as weighted_usd
    from years
    inner join ranked on years.release_year = ranked.release_year
    where years.earners >= 20
    group by years.release_year, years.films, years.earners, years.box_office_usd
),

doubles as (
    select
        release_year,
        films,
        earners,
        cast(box_office_usd as double precision) as box_office_usd,
        cast(top_film_box_office_usd as double precision) as top_film_box_office_usd,
        cast(top_5_box_office_usd as double precision) as top_5_box_office_usd,
        cast(top_tenth_box_office_usd as double precision) as top_tenth_box_office_usd,
        cast(weighted_usd as double precision) as weighted_usd,
        cast(earners as double precision) as n
    from shares
    where box_office_usd > 0
),

final as (
    select
        release_year,
        films,
        earners as films_with_box_office,
        cast(100.0 * earners / films as decimal(5, 1)) as coverage_percent,
        cast(100 * top_film_box_office_usd / box_office_usd as decimal(5, 1)) as top_film_share_percent,
        cast(100 * top_5_box_office_usd / box_office_usd as decimal(5, 1)) as top_5_share_percent,
        cast(100 * top_tenth_box_office_usd / box_office_usd as decimal(5, 1)) as top_tenth_share_percent,
        cast(2 * weighted_usd / (n * box_office_usd) - (n + 1) / n as decimal(4, 3)) as gini
    from doubles
)

select *
from final
order by release_year asc
