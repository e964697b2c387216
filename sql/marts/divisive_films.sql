-- Which films divide the audience?
-- Grain: one row a film with at least 30 ratings.
-- Units: stars, 0.5 to 5; deviation_rating is the sample standard deviation. A film that divides is both hated (2 stars
-- or fewer) and loved (4.5 or more) by many, so division_percent is the smaller of the two shares, doubled: 100 would
-- be half and half with nobody between.

with films as (
    select
        imdb_id,
        title,
        release_year
    from analytics.movies
),

ratings as (
    select
        imdb_id,
        rating
    from analytics.ratings
),

spread as (
    select
        imdb_id,
        count(*) as ratings,
        avg(cast(rating as double precision)) as mean_rating,
        stddev_samp(cast(rating as double precision)) as deviation_rating,
        100.0 * sum(case when rating <= 2 then 1 else 0 end) / count(*) as low_percent,
        100.0 * sum(case when rating >= 4.5 then 1 else 0 end) / count(*) as high_percent
    from ratings
    group by imdb_id
),

final as (
    select
        films.imdb_id,
        films.title,
        films.release_year,
        spread.ratings,
        cast(spread.mean_rating as decimal(3, 2)) as mean_rating,
        cast(spread.deviation_rating as decimal(3, 2)) as deviation_rating,
        cast(spread.low_percent as decimal(4, 1)) as low_percent,
        cast(spread.high_percent as decimal(4, 1)) as high_percent,
        cast(2 * least(spread.low_percent, spread.high_percent) as decimal(4, 1)) as division_percent
    from films
    inner join spread on films.imdb_id = spread.imdb_id
    where spread.ratings >= 30
)

select *
from final
order by division_percent desc, deviation_rating desc, imdb_id asc
