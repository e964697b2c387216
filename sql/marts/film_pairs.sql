-- What do people who like a film also like?
-- Grain: one row a film and another one liked by at least 10 of the same users, the 10 best others of each film. A user
-- likes a film that the last rating gave 4 stars or more.
-- Units: users; lift is how many times more often the other film is liked by those who like the film than by all users
-- who like any: 1 is chance. also_like_percent is the share of the film's likers who like the other, low_percent the
-- lower end of Wilson's interval at 95 percent (E. B. Wilson, 1927, Journal of the American Statistical Association 22,
-- 209-212); others are ranked by the lift of that lower end, so that a few users make no best pair.
-- Films with fewer than 20 likers are left out, and users with more than 500 likes among the rest, who like nearly
-- everything and would cost the square of that.

with films as (
    select
        imdb_id,
        title
    from analytics.movies
),

ratings as (
    select
        user_id,
        imdb_id,
        rating,
        row_number() over (
            partition by user_id, imdb_id
            order by rated_at desc
        ) as newest
    from analytics.ratings
),

likes as (
    select
        ratings.user_id,
        ratings.imdb_id,
        count(*) over (partition by ratings.imdb_id) as likers
    from ratings
    inner join films on ratings.imdb_id = films.imdb_id
    where
        ratings.newest = 1
        and ratings.rating >= 4
),

liked as (
    select
        user_id,
        imdb_id,
        count(*) over (partition by user_id) as user_likes
    from likes
    where likers >= 20
),

kept as (
    select
        user_id,
        imdb_id
    from liked
    where user_likes <= 500
),

film_likes as (
    select
        imdb_id,
        count(*) as likers
    from kept
    group by imdb_id
),

everyone as (
    select count(distinct user_id) as users
    from kept
),

pairs as (
    select
        one.imdb_id,
        other.imdb_id as also_imdb_id,
        cast(count(*) as double precision) as both_like
    from kept as one
    inner join kept as other
        on
            one.user_id = other.user_id
            and one.imdb_id <> other.imdb_id
    group by one.imdb_id, other.imdb_id
    having count(*) >= 10
),

shares as (
    select
        pairs.imdb_id,
        pairs.also_imdb_id,
        pairs.both_like,
        one.likers,
        other.likers as also_likers,
        cast(other.likers as double precision) / everyone.users as also_share,
        pairs.both_like / one.likers as both_share,
        (
            pairs.both_like + 1.9208
            - 1.96 * sqrt(pairs.both_like * (one.likers - pairs.both_like) / one.likers + 0.9604)
        ) / (one.likers + 3.8416) as low_share
    from pairs
    inner join film_likes as one on pairs.imdb_id = one.imdb_id
    inner join film_likes as other on pairs.also_imdb_id = other.imdb_id
    cross join everyone
),

ranked as (
    select
        imdb_id,
        also_imdb_id,
        both_like,
        likers,
        also_likers,
        both_share,
        low_share,
        both_share / also_share as lift,
        low_share / also_share as low_lift,
        row_number() over (
            partition by imdb_id
            order by cast(low_share / also_share as decimal(9, 4)) desc, also_imdb_id asc
        ) as place
    from shares
),

final as (
    select
        ranked.imdb_id,
        one.title,
        cast(ranked.place as integer) as place,
        ranked.also_imdb_id,
        other.title as also_title,
        ranked.likers,
        ranked.also_likers,
        cast(ranked.both_like as bigint) as both_like,
        cast(100 * ranked.both_share as decimal(5, 1)) as also_like_percent,
        cast(100 * ranked.low_share as decimal(5, 1)) as low_percent,
        cast(ranked.lift as decimal(9, 2)) as lift,
        cast(ranked.low_lift as decimal(9, 2)) as low_lift
    from ranked
    inner join films as one on ranked.imdb_id = one.imdb_id
    inner join films as other on ranked.also_imdb_id = other.imdb_id
    where ranked.place <= 10
)

select *
from final
order by imdb_id asc, place asc
