-- Which ratings by age (MPAA) do the films of each decade carry?
-- Grain: one row a decade of release and certificate, of decades with at least 30 films that have one.
-- Units: films, percent of the films with a certificate; the source knows it for one film in seven, so
-- coverage_percent of the decade stands beside. M and GP are what PG was called before 1972, X what NC-17 was called
-- before 1990; they are counted as these. low_percent and high_percent are Wilson's interval at 95 percent
-- (E. B. Wilson, 1927, Journal of the American Statistical Association 22, 209-212).

with films as (
    select
        10 * (release_year / 10) as decade,
        case
            when certificate in ('M', 'GP', 'M/PG') then 'PG'
            when certificate = 'X' then 'NC-17'
            else certificate
        end as certificate
    from analytics.movies
    where release_year is not null
),

decades as (
    select
        decade,
        count(*) as films_of_decade,
        count(certificate) as films_with_certificate
    from films
    group by decade
),

counted as (
    select
        films.decade,
        films.certificate,
        decades.films_of_decade,
        cast(decades.films_with_certificate as double precision) as known,
        count(*) as films
    from films
    inner join decades on films.decade = decades.decade
    where
        films.certificate is not null
        and decades.films_with_certificate >= 30
    group by films.decade, films.certificate, decades.films_of_decade, decades.films_with_certificate
),

intervals as (
    select
        decade,
        certificate,
        films,
        known,
        films_of_decade,
        (films + 1.9208) / (known + 3.8416) as middle,
        1.96 * sqrt(films * (known - films) / known + 0.9604) / (known + 3.8416) as margin
    from counted
),

final as (
    select
        decade,
        certificate,
        films,
        cast(known as bigint) as films_with_certificate,
        cast(100 * known / films_of_decade as decimal(5, 1)) as coverage_percent,
        cast(100 * films / known as decimal(5, 1)) as share_percent,
        cast(100 * greatest(middle - margin, 0) as decimal(5, 1)) as low_percent,
        cast(100 * least(middle + margin, 1) as decimal(5, 1)) as high_percent
    from intervals
)

select *
from final
order by decade asc, films desc, certificate asc
