-- Each column as the type it is to have, beside its text. A blank becomes NULL, and so does a text that is no such
-- type, which the row rules then find. The films are those of every batch so far.
with known as (
    select distinct imdb_id as known_imdb_id from films
)

select
    batch.*,
    try_cast(nullif(trim(batch.user_id), '') as bigint) as user_id_typed,
    nullif(trim(batch.imdb_id), '') as imdb_id_typed,
    known.known_imdb_id,
    try_cast(nullif(trim(batch.rating), '') as double) as rating_typed,
    abs(rating_typed * 2 - round(rating_typed * 2)) as rating_halves_off,
    try_cast(nullif(trim(batch.rated_at), '') as bigint) as rated_at_typed,
    -- The batch ends with the last second of its day.
    try_subtract(
        unix_timestamp(try_cast(batch.ingest_date as timestamp)) + 86399, rated_at_typed
    ) as seconds_before_batch_end,
    concat_ws('|', user_id_typed, imdb_id_typed, rated_at_typed) as rating_key,

    -- The row as JSON: quotes in a text are escaped there, so that no text can pass for the name of a column. A field
    -- that the row does not have is NULL. beyond_last_column has what comes after the last one; it is no column to name
    -- here, because Glue leaves out one that is NULL in every row, as this is in a clean batch.
    case
        when
            to_json(struct(batch.*), map('ignoreNullFields', 'false')) rlike '"(?!beyond_last_column")[^"\\\\]+":null'
            then 'too few fields'
        when contains(to_json(struct(batch.*), map('ignoreNullFields', 'false')), '"beyond_last_column":"')
            then 'too many fields'
        else 'complete'
    end as row_shape,
    -- U+FFFD stands where bytes were no UTF-8.
    if(
        contains(to_json(struct(batch.*), map('ignoreNullFields', 'false')), decode(unhex('EFBFBD'), 'UTF-8')),
        'broken',
        'utf-8'
    ) as row_encoding
from batch
left join known on trim(batch.imdb_id) = known.known_imdb_id
