-- Who works with whom: which directors come back to the same actors and writers, and which actors play together most?
-- Grain: one row a pairing and two people with at least 5 films together in these parts: "director and actor",
-- "director and writer", or "two actors", who stand in the order of the alphabet. One who directs himself is no pair.
-- Units: films; overlap_percent is the part of the films in that part of whoever of the two has fewer; the mean
-- critics score, 0 to 100, only from 5 films on. People are names in the source, without numbers: two people of one
-- name count as one. A film whose cast the source lacks counts for no actor, so counts are lower bounds.

with credits as (
    select
        imdb_id,
        name,
        role
    from analytics.movie_people
),

films as (
    select
        imdb_id,
        release_year,
        critics_score
    from analytics.movies
),

-- Who has fewer films than a pair needs is in no pair; most are left out here, before casts are joined with themselves.
busy as (
    select
        name,
        role,
        count(*) as films
    from credits
    group by name, role
    having count(*) >= 5
),

parts as (
    select
        credits.imdb_id,
        credits.name,
        credits.role,
        busy.films
    from credits
    inner join busy
        on
            credits.name = busy.name
            and credits.role = busy.role
),

pairs as (
    select
        one.imdb_id,
        case
            when one.role = 'actor' then 'two actors'
            when other.role = 'actor' then 'director and actor'
            else 'director and writer'
        end as pairing,
        one.name as person,
        other.name as partner,
        one.films as person_films,
        other.films as partner_films
    from parts as one
    inner join parts as other on one.imdb_id = other.imdb_id
    where
        (one.role = 'director' and other.role in ('actor', 'writer') and one.name <> other.name)
        or (one.role = 'actor' and other.role = 'actor' and one.name < other.name)
),

counted as (
    select
        pairs.pairing,
        pairs.person,
        pairs.partner,
        pairs.person_films,
        pairs.partner_films,
        count(*) as films,
        min(films.release_year) as first_year,
        max(films.release_year) as last_year,
        count(films.critics_score) as films_with_critics_score,
        avg(cast(films.critics_score as double precision)) as mean_critics_score
    from pairs
    inner join films on pairs.imdb_id = films.imdb_id
    group by pairs.pairing, pairs.person, pairs.partner, pairs.person_films, pairs.partner_films
    having count(*) >= 5
),

final as (
    select
        pairing,
        person,
        partner,
        films,
        person_films,
        partner_films,
        cast(100.0 * films / least(person_films, partner_films) as decimal(5, 1)) as overlap_percent,
        first_year,
        last_year,
        films_with_critics_score,
        cast(
            case when films_with_critics_score >= 5 then mean_critics_score end as decimal(4, 1)
        ) as mean_critics_score
    from counted
)

select *
from final
order by films desc, pairing asc, person asc, partner asc
