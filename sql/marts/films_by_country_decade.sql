-- Where do the films of each decade come from, and how many are made by several countries together?
-- Grain: one row a country and decade of release with at least 5 films. A film counts in each of its countries, so the
-- shares of a decade add up to more than 100.
-- Units: films; percent of the decade's films of known origin; US dollars of the time, not corrected for inflation,
-- the median only from 5 films of known box office on. The source leans to the United States, which the share repeats.

with films as (
    select
        imdb_id,
        10 * (release_year / 10) as decade,
        box_office_usd
    from analytics.movies
    where release_year is not null
),

countries as (
    select
        imdb_id,
        country
    from analytics.movie_countries
),

origins as (
    select
        films.imdb_id,
        films.decade,
        films.box_office_usd,
        count(*) as countries
    from films
    inner join countries on films.imdb_id = countries.imdb_id
    group by films.imdb_id, films.decade, films.box_office_usd
),

decades as (
    select
        decade,
        count(*) as films_of_decade
    from origins
    group by decade
),

country_decades as (
    select
        countries.country,
        origins.decade,
        count(*) as films,
        sum(case when origins.countries > 1 then 1 else 0 end) as coproductions,
        count(origins.box_office_usd) as films_with_box_office,
        median(cast(origins.box_office_usd as double precision)) as median_box_office_usd
    from origins
    inner join countries on origins.imdb_id = countries.imdb_id
    group by countries.country, origins.decade
),

final as (
    select
        country_decades.country,
        country_decades.decade,
        country_decades.films,
        cast(100.0 * country_decades.films / decades.films_of_decade as decimal(5, 1)) as share_of_decade_percent,
        cast(100.0 * country_decades.coproductions / country_decades.films as decimal(5, 1)) as coproductions_percent,
        country_decades.films_with_box_office,
        cast(
            case when country_decades.films_with_box_office >= 5 then country_decades.median_box_office_usd end
            as decimal(18, 2)
        ) as median_box_office_usd
    from country_decades
    inner join decades on country_decades.decade = decades.decade
    where country_decades.films >= 5
)

select *
from final
order by decade asc, films desc, country asc
