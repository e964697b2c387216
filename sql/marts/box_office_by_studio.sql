-- Which production companies made the most films, and how did those films do?
-- Grain: one row a company with at least 10 films. A film counts for each of its companies with its whole box office,
-- so totals of companies must not be added up.
-- Units: US dollars of the time, not corrected for inflation; medians from 5 films on. Half of the films name none.

with films as (
    select
        imdb_id,
        release_year,
        box_office_usd,
        critics_score
    from analytics.movies
),

credits as (
    select
        imdb_id,
        studio
    from analytics.movie_studios
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
