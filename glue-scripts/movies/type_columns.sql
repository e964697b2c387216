-- Each column as the type it is to have, beside its text. A blank becomes NULL, and so does a text that is no such
-- type, which the row rules then find. "90.0" is an int here, "90.5" is none.
select
    *,
    nullif(trim(imdb_id), '') as imdb_id_typed,
    try_cast(nullif(trim(wikidata_qid), '') as bigint) as wikidata_qid_typed,
    nullif(trim(title), '') as title_typed,
    try_cast(nullif(regexp_replace(trim(year), '[.]0+$', ''), '') as int) as year_typed,
    nullif(trim(mpaa), '') as mpaa_typed,
    try_cast(nullif(regexp_replace(trim(runtime_min), '[.]0+$', ''), '') as int) as runtime_min_typed,
    -- The cast alone would take "2014" or "2014-5" as well.
    if(trim(released) rlike '^[0-9]{4}-[0-9]{2}-[0-9]{2}$', try_cast(trim(released) as date), null) as released_typed,
    -- A comma separates names, except the one before "Jr." or a title, which goes: "Sammy Davis, Jr." is one person.
    nullif(
        regexp_replace(trim(director), ' *, *(?=([JS]r[.]?|I{2,3}|[0-9]+(st|nd|rd|th) [^,]+)(,|$))', ' '), ''
    ) as director_typed,
    nullif(
        regexp_replace(trim(writer), ' *, *(?=([JS]r[.]?|I{2,3}|[0-9]+(st|nd|rd|th) [^,]+)(,|$))', ' '), ''
    ) as writer_typed,
    nullif(
        regexp_replace(trim(`cast`), ' *, *(?=([JS]r[.]?|I{2,3}|[0-9]+(st|nd|rd|th) [^,]+)(,|$))', ' '), ''
    ) as cast_typed,
    try_cast(nullif(regexp_replace(trim(metacritic), '[.]0+$', ''), '') as int) as metacritic_typed,
    nullif(trim(awards), '') as awards_typed,
    try_cast(nullif(regexp_replace(trim(oscars), '[.]0+$', ''), '') as int) as oscars_typed,
    try_cast(nullif(trim(rt_rating), '') as decimal(3, 1)) as rt_rating_typed,
    try_cast(nullif(regexp_replace(trim(rt_meter), '[.]0+$', ''), '') as int) as rt_meter_typed,
    try_cast(nullif(regexp_replace(trim(rt_reviews), '[.]0+$', ''), '') as int) as rt_reviews_typed,
    try_cast(nullif(regexp_replace(trim(rt_fresh), '[.]0+$', ''), '') as int) as rt_fresh_typed,
    try_cast(nullif(regexp_replace(trim(rt_rotten), '[.]0+$', ''), '') as int) as rt_rotten_typed,
    -- Rounds to cents the few that have three decimals; see the gate's rule on them.
    try_cast(nullif(trim(box_office_usd), '') as decimal(14, 2)) as box_office_usd_typed,
    -- The same for a company's legal form: "Tokyopop, Inc."
    nullif(
        regexp_replace(trim(production), ' *, *(?=(Inc|LLC|Ltd|Co|Corp)[.]?(,|$))', ' '), ''
    ) as production_typed,

    try_subtract(year(released_typed), year_typed) as years_from_release,
    try_subtract(try_subtract(rt_reviews_typed, rt_fresh_typed), rt_rotten_typed) as rt_reviews_unexplained,

    -- The row as JSON: quotes in a text are escaped there, so that no text can pass for the name of a column. A field
    -- that the row does not have is NULL. beyond_last_column has what comes after the last one; it is no column to name
    -- here, because Glue leaves out one that is NULL in every row, as this is in a clean batch.
    case
        when
            to_json(struct(*), map('ignoreNullFields', 'false')) rlike '"(?!beyond_last_column")[^"\\\\]+":null'
            then 'too few fields'
        when contains(to_json(struct(*), map('ignoreNullFields', 'false')), '"beyond_last_column":"')
            then 'too many fields'
        else 'complete'
    end as row_shape,
    -- U+FFFD stands where bytes were no UTF-8.
    if(
        contains(to_json(struct(*), map('ignoreNullFields', 'false')), decode(unhex('EFBFBD'), 'UTF-8')),
        'broken',
        'utf-8'
    ) as row_encoding,
    -- The lengths, in bytes, of the warehouse's columns.
    if(
        octet_length(title) > 400
        or octet_length(director) > 2000
        or octet_length(writer) > 1000
        or octet_length(`cast`) > 8000
        or octet_length(awards) > 200
        or octet_length(production) > 1000
        or exists(split(genre, ','), name -> octet_length(trim(name)) > 40)
        or exists(split(country, ','), name -> octet_length(trim(name)) > 80)
        or exists(split(director_typed, ','), name -> octet_length(trim(name)) > 120)
        or exists(split(writer_typed, ','), name -> octet_length(trim(name)) > 120)
        or exists(split(cast_typed, ','), name -> octet_length(trim(name)) > 120)
        or exists(split(production_typed, ','), name -> octet_length(trim(name)) > 160),
        'too long',
        'fitting'
    ) as row_lengths
from batch
