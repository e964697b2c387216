-- Which films divide the audience?
-- Grain: one row a film with at least 30 ratings.
-- Units: stars, 0.5 to 5; deviation_rating is the sample standard deviation. A film that divides is both hated (2 stars
-- or fewer) and loved (4.5 or more) by many, so division_percent is the smaller of the two shares, doubled: 100 would
-- be half and half with nobody between. least_division_percent is the same of the lower end of Wilson's interval at 95
-- percent (E. B. Wilson, 1927, Journal of the American Statistical Association 22, 209-212); films are ordered by it,
-- so that few ratings make no film the most divisive.

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
        sum(case when rating <= 2 then 1 else 0 end) as low,
        sum(case when rating >= 4.5 then 1 else 0 end) as high
    from ratings
    group by imdb_id
),

shares as (
    select
        imdb_id,
        ratings,
        mean_rating,
        deviation_rating,
        100.0 * low / ratings as low_percent,
        100.0 * high / ratings as high_percent,
        (
            least(low, high) + 1.9208
            - 1.96 * sqrt(
                least(low, high) * (ratings - least(low, high)) / cast(ratings as double precision) + 0.9604
            )
        ) / (ratings + 3.8416) as least_share
    from spread
    where ratings >= 30
),

final as (
    select
        films.imdb_id,
        films.title,
        films.release_year,
        shares.ratings,
        cast(shares.mean_rating as decimal(3, 2)) as mean_rating,
        cast(shares.deviation_rating as decimal(3, 2)) as deviation_rating,
        cast(shares.low_percent as decimal(4, 1)) as low_percent,
        cast(shares.high_percent as decimal(4, 1)) as high_percent,
        cast(2 * least(shares.low_percent, shares.high_percent) as decimal(4, 1)) as division_percent,
        cast(200 * greatest(shares.least_share, 0) as decimal(4, 1)) as least_division_percent
    from films
    inner join shares on films.imdb_id = shares.imdb_id
)

select *
from final
order by least_division_percent desc, deviation_rating desc, imdb_id asc
