-- About which films do critics and audience disagree most?
-- Grain: one row a film with a Metacritic score and at least 20 ratings.
-- Units: points of 0 to 100. Stars are stretched to that scale (0.5 is 0, 5 is 100); the two are used differently all
-- the same, so gap_from_usual takes off the mean gap of all films here: 0 is the usual difference.
-- margin_audience_score is the 95 percent interval of the audience's score, plus and minus: a smaller gap says nothing.

with films as (
    select
        imdb_id,
        title,
        release_year,
        critics_score
    from analytics.movies
    where critics_score is not null
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
        (avg(cast(rating as double precision)) - 0.5) / 4.5 * 100 as audience_score,
        stddev_samp(cast(rating as double precision)) / 4.5 * 100 as deviation_audience_score
    from ratings
    group by imdb_id
),

compared as (
    select
        films.imdb_id,
        films.title,
        films.release_year,
        scores.ratings,
        films.critics_score,
        scores.audience_score,
        1.96 * scores.deviation_audience_score
        / sqrt(cast(scores.ratings as double precision)) as margin_audience_score,
        scores.audience_score - films.critics_score as gap
    from films
    inner join scores on films.imdb_id = scores.imdb_id
    where scores.ratings >= 20
),

usual as (
    select avg(gap) as gap
    from compared
),

final as (
    select
        compared.imdb_id,
        compared.title,
        compared.release_year,
        compared.ratings,
        compared.critics_score,
        cast(compared.audience_score as decimal(4, 1)) as audience_score,
        cast(compared.margin_audience_score as decimal(4, 1)) as margin_audience_score,
        cast(compared.gap as decimal(4, 1)) as gap,
        cast(compared.gap - usual.gap as decimal(4, 1)) as gap_from_usual
    from compared
    cross join usual
)

select *
from final
order by abs(gap_from_usual) desc, imdb_id asc
