-- What part of the films of each decade are numbered sequels?
-- A sequel with a name of its own is missed, so the part is a lower bound.

select
    10 * (release_year / 10) as decade,
    sum(films) as films,
    sum(numbered_sequels) as numbered_sequels,
    cast(100.0 * sum(numbered_sequels) / sum(films) as decimal(5, 1)) as sequels_percent
from marts.sequels_by_year
group by 10 * (release_year / 10)
order by decade asc;
