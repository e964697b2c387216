-- Which production companies made the most films, and how did those films do?
-- Grain: one row a company with at least 10 films. A film counts for each of its companies (16 are read at most)
-- with its whole box office, so totals of companies must not be added up.
-- Units: US dollars of the time, not corrected for inflation; medians from 5 films on. Half of the films name none.

with films as (
    select
        imdb_id,
        release_year,
        box_office_usd,
        critics_score,
        -- The list is separated by commas, which also stand before a company's legal form.
        replace(replace(replace(production, ', Inc', ' Inc'), ', LLC', ' LLC'), ', Ltd', ' Ltd') as companies
    from analytics.movies
    where production is not null
),

four as (
    select 0 as n
    union all
    select 1 as n
    union all
    select 2 as n
    union all
    select 3 as n
),

positions as (
    select 4 * high.n + low.n + 1 as place
    from four as high
    cross join four as low
),

credits as (
    select distinct
        films.imdb_id,
        trim(split_part(films.companies, ', ', positions.place)) as studio
    from films
    cross join positions
    where trim(split_part(films.companies, ', ', positions.place)) <> ''
),

studios as (
    select
        credits.studio,
        count(*) as films,
        min(films.release_year) as first_year,
        max(films.release_year) as last_year,
        count(films.box_office_usd) as films_with_box_office,
        sum(films.box_office_usd) as box_office_usd,
        median(cast(films.box_office_usd as double precision)) as median_box_office_usd,
        count(films.critics_score) as films_with_critics_score,
        avg(cast(films.critics_score as double precision)) as mean_critics_score
    from credits
    inner join films on credits.imdb_id = films.imdb_id
    group by credits.studio
),

final as (
    select
        studio,
        films,
        first_year,
        last_year,
        films_with_box_office,
        cast(100.0 * films_with_box_office / films as decimal(5, 1)) as coverage_percent,
        cast(box_office_usd as decimal(18, 2)) as box_office_usd,
        cast(
            case when films_with_box_office >= 5 then median_box_office_usd end as decimal(18, 2)
        ) as median_box_office_usd,
        films_with_critics_score,
        cast(
            case when films_with_critics_score >= 5 then mean_critics_score end as decimal(4, 1)
        ) as mean_critics_score
    from studios
    where films >= 10
)

select *
from final
order by films desc, studio asc
