-- How many of the films of each year are numbered sequels, and how much of the box office is theirs?
-- Grain: one row a year of release. Units: films, percent; box office in US dollars of the time, so only the share
-- within a year compares. The source has no mark for sequels: a film counts when its title ends in a number from 2 to 9
-- (figures or Roman, with or without "Part", a subtitle after a colon allowed) and an earlier film has the title
-- without it. So a sequel with a name of its own is missed, and the share is a lower bound.
-- low_percent and high_percent are Wilson's interval at 95 percent (E. B. Wilson, 1927, Journal of the American
-- Statistical Association 22, 209-212).

with films as (
    select
        imdb_id,
        release_year,
        box_office_usd,
        lower(title) as title,
        regexp_replace(
            lower(title), '[:,]?( part| chapter| vol[.])? (ii|iii|iv|v|vi|vii|viii|ix|[2-9])(:.*)?$', ''
        ) as first_title
    from analytics.movies
    where release_year is not null
),

firsts as (
    select
        title,
        min(release_year) as release_year
    from films
    group by title
),

marked as (
    select
        films.imdb_id,
        films.release_year,
        films.box_office_usd,
        case when films.first_title <> films.title and firsts.title is not null then 1 else 0 end as sequel
    from films
    left join firsts
        on
            films.first_title = firsts.title
            and films.release_year > firsts.release_year
),

years as (
    select
        release_year,
        count(*) as films,
        sum(sequel) as sequels,
        count(box_office_usd) as films_with_box_office,
        sum(box_office_usd) as box_office_usd,
        sum(case when sequel = 1 then box_office_usd else 0 end) as sequels_box_office_usd
    from marked
    group by release_year
),

intervals as (
    select
        release_year,
        films,
        sequels,
        films_with_box_office,
        box_office_usd,
        sequels_box_office_usd,
        (sequels + 1.9208) / (cast(films as double precision) + 3.8416) as middle,
        1.96 * sqrt(sequels * (films - sequels) / cast(films as double precision) + 0.9604)
        / (films + 3.8416) as margin
    from years
),

final as (
    select
        release_year,
        films,
        cast(sequels as bigint) as numbered_sequels,
        cast(100 * cast(sequels as double precision) / films as decimal(5, 1)) as sequels_percent,
        cast(100 * greatest(middle - margin, 0) as decimal(5, 1)) as low_percent,
        cast(100 * least(middle + margin, 1) as decimal(5, 1)) as high_percent,
        films_with_box_office,
        cast(
            case
                when films_with_box_office >= 10
                    then
                        100 * cast(sequels_box_office_usd as double precision)
                        / nullif(cast(box_office_usd as double precision), 0)
            end as decimal(5, 1)
        ) as sequels_box_office_percent
    from intervals
)

select *
from final
order by release_year asc
