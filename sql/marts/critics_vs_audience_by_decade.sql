-- Do critics and audience agree more on the films of some decades than of others?
-- Grain: one row a decade of release with at least 10 films that have a Metacritic score and at least 5 ratings each.
-- Units: points of 0 to 100, stars stretched to that scale (0.5 is 0, 5 is 100). correlation is Pearson's, -1 to 1;
-- low_correlation and high_correlation are its interval at 95 percent by Fisher's transformation (R. A. Fisher, 1921,
-- Metron 1, 3-32), which needs a correlation other than -1 and 1.

with films as (
    select
        imdb_id,
        10 * (release_year / 10) as decade,
        cast(critics_score as double precision) as critics_score
    from analytics.movies
    where
        release_year is not null
        and critics_score is not null
),

ratings as (
    select
        imdb_id,
        rating
    from analytics.ratings
),

scores as (
    select
        imdb_id,
        count(*) as ratings,
        -- Sums of half stars are exact, in whatever order they are added: a re-run gives the same score.
        (avg(cast(rating as double precision)) - 0.5) / 4.5 * 100 as audience_score
    from ratings
    group by imdb_id
),

decades as (
    select
        films.decade,
        count(*) as films,
        sum(scores.ratings) as ratings,
        avg(films.critics_score) as mean_critics_score,
        avg(scores.audience_score) as mean_audience_score,
        avg(films.critics_score * scores.audience_score) as mean_product,
        stddev_pop(films.critics_score) as deviation_critics_score,
        stddev_pop(scores.audience_score) as deviation_audience_score
    from films
    inner join scores on films.imdb_id = scores.imdb_id
    where scores.ratings >= 5
    group by films.decade
),

correlated as (
    select
        decade,
        films,
        ratings,
        mean_critics_score,
        mean_audience_score,
        -- To six places: beyond them the order in which doubles are added would show.
        cast(
            (mean_product - mean_critics_score * mean_audience_score)
            / nullif(deviation_critics_score * deviation_audience_score, 0) as decimal(7, 6)
        ) as correlation
    from decades
    where films >= 10
),

transformed as (
    select
        decade,
        case
            when abs(correlation) < 1
                then 0.5 * ln((1 + cast(correlation as double precision)) / (1 - cast(correlation as double precision)))
        end as z,
        1.96 / sqrt(cast(films as double precision) - 3) as margin
    from correlated
),

final as (
    select
        correlated.decade,
        correlated.films,
        cast(correlated.ratings as bigint) as ratings,
        cast(correlated.mean_critics_score as decimal(4, 1)) as mean_critics_score,
        cast(correlated.mean_audience_score as decimal(4, 1)) as mean_audience_score,
        cast(correlated.mean_audience_score - correlated.mean_critics_score as decimal(4, 1)) as mean_gap,
        cast(correlated.correlation as decimal(3, 2)) as correlation,
        cast(1 - 2 / (exp(2 * (transformed.z - transformed.margin)) + 1) as decimal(3, 2)) as low_correlation,
        cast(1 - 2 / (exp(2 * (transformed.z + transformed.margin)) + 1) as decimal(3, 2)) as high_correlation
    from correlated
    inner join transformed on correlated.decade = transformed.decade
)

select *
from final
order by decade asc
