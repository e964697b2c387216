-- Which films does the audience like best, compared with what critics gave them?
-- gap_from_usual is in points of 100, beyond the gap that critics and audience usually have.

select
    title,
    release_year,
    ratings,
    critics_score,
    audience_score,
    gap_from_usual
from marts.critics_vs_audience
where gap_from_usual > 0
order by gap_from_usual desc, imdb_id asc
limit 10;
