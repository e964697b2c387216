import sys
from awsglue.transforms import *
from awsglue.utils import getResolvedOptions
from pyspark.context import SparkContext
from awsglue.context import GlueContext
from awsglue.job import Job
from awsgluedq.transforms import EvaluateDataQuality
from awsglue.dynamicframe import DynamicFrame


def sparkSqlQuery(glueContext, query, mapping, transformation_ctx) -> DynamicFrame:
    for alias, frame in mapping.items():
        frame.toDF().createOrReplaceTempView(alias)
    result = spark.sql(query)
    return DynamicFrame.fromDF(result, glueContext, transformation_ctx)


args = getResolvedOptions(sys.argv, ["JOB_NAME", "BatchDatabase", "ProcessedBucket"])
sc = SparkContext.getOrCreate()
glueContext = GlueContext(sc)
spark = glueContext.spark_session
job = Job(glueContext)
job.init(args["JOB_NAME"], args)

# Script generated for node Batch
Batch_node1 = glueContext.create_dynamic_frame.from_catalog(
    database=args["BatchDatabase"],
    table_name="batch_movies",
    transformation_ctx="Batch_node1",
)

# Script generated for node Drop equal rows
Dropequalrows_node2 = DynamicFrame.fromDF(Batch_node1.toDF().dropDuplicates(), glueContext, "Dropequalrows_node2")

# Script generated for node Type columns
SqlQuery3 = """
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
            to_json(struct(*), map('ignoreNullFields', 'false')) rlike '"(?!beyond_last_column")[^"\\\\\\\\]+":null'
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
"""
Typecolumns_node3 = sparkSqlQuery(
    glueContext,
    query=SqlQuery3,
    mapping={"batch": Dropequalrows_node2},
    transformation_ctx="Typecolumns_node3",
)

# Script generated for node Row rules
Rowrules_node4_ruleset = """
# Films: what must hold of each row. A row that breaks a rule goes to quarantine, with the rules that it broke.
#
# Evaluated inside the job, on the columns of the file as text and, beside each, what it was typed to: <column>_typed.
# Blank becomes NULL there, and so does a text that is no such number or date. NULL fails ColumnValues, therefore
# a rule on a typed column, `where` its text is not blank, fails for a text of the wrong type and for a wrong value.
# Mind that `between` leaves out both ends.

Rules = [
    # About no row: it puts the number of rows, after equal ones were dropped, into the published result.
    # review accepts says-nothing-of-rows, no-fault: reconciliation needs that number, and no row is to fail by it
    RowCount > 0,

    # The key of a film. Two rows with the same key are not equal (those were dropped), so neither can be believed.
    IsComplete "imdb_id_typed",
    ColumnValues "imdb_id_typed" matches "^tt[0-9]{7,8}$" where "imdb_id_typed is not null",
    IsUnique "imdb_id_typed",

    # The form of the row, worked out by the job: fields missing or left over at the end, bytes that are no UTF-8, and
    # texts that the warehouse's columns cannot hold (it counts bytes).
    ColumnValues "row_shape" in ["complete"],
    ColumnValues "row_encoding" in ["utf-8"],
    ColumnValues "row_lengths" in ["fitting"],

    IsComplete "title_typed",
    # From the first film to those announced for the next years.
    ColumnValues "year_typed" between 1887 and 2036,
    IsComplete "released_typed" where "trim(released) <> ''",
    # A film may open a year before or after the year that it counts for.
    ColumnValues "years_from_release" between -2 and 2 where "years_from_release is not null",

    # "M", "GP" and "M/PG" are what PG was called until 1972, X became NC-17.
    ColumnValues "mpaa" in ["G", "PG", "PG-13", "R", "NC-17", "M", "GP", "M/PG", "X"] where "trim(mpaa) <> ''",
    # Films of one minute are real, and so are some of more than twelve hours.
    ColumnValues "runtime_min_typed" between 0 and 1500 where "trim(runtime_min) <> ''",

    ColumnValues "wikidata_qid_typed" > 0 where "trim(wikidata_qid) <> ''",
    ColumnValues "metacritic_typed" between -1 and 101 where "trim(metacritic) <> ''",
    # The record is 11.
    ColumnValues "oscars_typed" between -1 and 21 where "trim(oscars) <> ''",
    ColumnValues "rt_rating_typed" between -0.1 and 10.1 where "trim(rt_rating) <> ''",
    ColumnValues "rt_meter_typed" between -1 and 101 where "trim(rt_meter) <> ''",
    ColumnValues "rt_reviews_typed" >= 0 where "trim(rt_reviews) <> ''",
    ColumnValues "rt_fresh_typed" >= 0 where "trim(rt_fresh) <> ''",
    ColumnValues "rt_rotten_typed" >= 0 where "trim(rt_rotten) <> ''",
    # Every review is either fresh or rotten.
    ColumnValues "rt_reviews_unexplained" = 0 where "rt_reviews_unexplained is not null",
    ColumnValues "box_office_usd_typed" > 0 where "trim(box_office_usd) <> ''"
]
"""
Rowrules_node4 = EvaluateDataQuality().process_rows(
    frame=Typecolumns_node3,
    ruleset=Rowrules_node4_ruleset,
    publishing_options={
        "dataQualityEvaluationContext": "movies_rows",
        "enableDataQualityCloudWatchMetrics": True,
        "enableDataQualityResultsPublishing": True,
    },
    additional_options={"observations.scope": "ALL", "performanceTuning.caching": "CACHE_NOTHING"},
)

# Script generated for node rowLevelOutcomes
rowLevelOutcomes_node5 = SelectFromCollection.apply(
    dfc=Rowrules_node4,
    key="rowLevelOutcomes",
    transformation_ctx="rowLevelOutcomes_node5",
)

# Script generated for node Good rows
SqlQuery6 = """
select *
from judged
where DataQualityEvaluationResult = 'Passed'
"""
Goodrows_node6 = sparkSqlQuery(
    glueContext,
    query=SqlQuery6,
    mapping={"judged": rowLevelOutcomes_node5},
    transformation_ctx="Goodrows_node6",
)

# Script generated for node Films
Films_node7 = ApplyMapping.apply(
    frame=Goodrows_node6,
    mappings=[
        ("imdb_id_typed", "string", "imdb_id", "string"),
        ("wikidata_qid_typed", "bigint", "wikidata_id", "bigint"),
        ("title_typed", "string", "title", "string"),
        ("year_typed", "int", "release_year", "int"),
        ("mpaa_typed", "string", "certificate", "string"),
        ("runtime_min_typed", "int", "runtime_minutes", "int"),
        ("released_typed", "date", "released_on", "date"),
        ("director_typed", "string", "director", "string"),
        ("writer_typed", "string", "writer", "string"),
        ("cast_typed", "string", "actors", "string"),
        ("metacritic_typed", "int", "critics_score", "int"),
        ("awards_typed", "string", "awards", "string"),
        ("oscars_typed", "int", "oscars", "int"),
        ("rt_rating_typed", "decimal(3,1)", "rt_rating", "decimal(3,1)"),
        ("rt_meter_typed", "int", "rt_meter", "int"),
        ("rt_reviews_typed", "int", "rt_reviews", "int"),
        ("rt_fresh_typed", "int", "rt_fresh", "int"),
        ("rt_rotten_typed", "int", "rt_rotten", "int"),
        ("box_office_usd_typed", "decimal(14,2)", "box_office_usd", "decimal(14,2)"),
        ("production_typed", "string", "production", "string"),
    ],
    transformation_ctx="Films_node7",
)

# Script generated for node Genres
SqlQuery8 = """
select distinct
    imdb_id_typed as imdb_id,
    trim(name) as genre
from good
    lateral view explode(split(genre, ',')) names as name
where trim(name) <> ''
"""
Genres_node8 = sparkSqlQuery(
    glueContext,
    query=SqlQuery8,
    mapping={"good": Goodrows_node6},
    transformation_ctx="Genres_node8",
)

# Script generated for node Countries
SqlQuery9 = """
select distinct
    imdb_id_typed as imdb_id,
    trim(name) as country
from good
    lateral view explode(split(country, ',')) names as name
where trim(name) <> ''
"""
Countries_node9 = sparkSqlQuery(
    glueContext,
    query=SqlQuery9,
    mapping={"good": Goodrows_node6},
    transformation_ctx="Countries_node9",
)

# Script generated for node People
SqlQuery10 = """
select distinct
    imdb_id_typed as imdb_id,
    trim(name) as name,
    role
from good
    lateral view explode(map('director', director_typed, 'writer', writer_typed, 'actor', cast_typed)) as role, names
    lateral view explode(split(names, ',')) as name
where trim(name) <> ''
"""
People_node10 = sparkSqlQuery(
    glueContext,
    query=SqlQuery10,
    mapping={"good": Goodrows_node6},
    transformation_ctx="People_node10",
)

# Script generated for node Bad rows
SqlQuery11 = """
-- The row as it came; the rules as one text, since the warehouse counts by it.
select
    *,
    array_join(DataQualityRulesFail, char(10)) as rules_broken
from judged
where DataQualityEvaluationResult = 'Failed'
"""
Badrows_node11 = sparkSqlQuery(
    glueContext,
    query=SqlQuery11,
    mapping={"judged": rowLevelOutcomes_node5},
    transformation_ctx="Badrows_node11",
)

# Script generated for node Text as it came
Textasitcame_node12 = DropFields.apply(
    frame=Badrows_node11,
    paths=[
        "imdb_id_typed",
        "wikidata_qid_typed",
        "title_typed",
        "year_typed",
        "mpaa_typed",
        "runtime_min_typed",
        "released_typed",
        "director_typed",
        "writer_typed",
        "cast_typed",
        "metacritic_typed",
        "awards_typed",
        "oscars_typed",
        "rt_rating_typed",
        "rt_meter_typed",
        "rt_reviews_typed",
        "rt_fresh_typed",
        "rt_rotten_typed",
        "box_office_usd_typed",
        "production_typed",
        "years_from_release",
        "rt_reviews_unexplained",
        "row_shape",
        "row_encoding",
        "row_lengths",
        "DataQualityRulesPass",
        "DataQualityRulesFail",
        "DataQualityRulesSkip",
        "DataQualityEvaluationResult",
    ],
    transformation_ctx="Textasitcame_node12",
)

# Script generated for node Staged films
Stagedfilms_node13 = glueContext.write_dynamic_frame.from_options(
    frame=Films_node7,
    connection_type="s3",
    format="parquet",
    connection_options={
        "path": f"s3://{args['ProcessedBucket']}/staging/movies/movies/",
        "compression": "snappy",
        "partitionKeys": [],
    },
    transformation_ctx="Stagedfilms_node13",
)

# Script generated for node Staged genres
Stagedgenres_node14 = glueContext.write_dynamic_frame.from_options(
    frame=Genres_node8,
    connection_type="s3",
    format="parquet",
    connection_options={
        "path": f"s3://{args['ProcessedBucket']}/staging/movies/movie_genres/",
        "compression": "snappy",
        "partitionKeys": [],
    },
    transformation_ctx="Stagedgenres_node14",
)

# Script generated for node Staged countries
Stagedcountries_node15 = glueContext.write_dynamic_frame.from_options(
    frame=Countries_node9,
    connection_type="s3",
    format="parquet",
    connection_options={
        "path": f"s3://{args['ProcessedBucket']}/staging/movies/movie_countries/",
        "compression": "snappy",
        "partitionKeys": [],
    },
    transformation_ctx="Stagedcountries_node15",
)

# Script generated for node Staged people
Stagedpeople_node16 = glueContext.write_dynamic_frame.from_options(
    frame=People_node10,
    connection_type="s3",
    format="parquet",
    connection_options={
        "path": f"s3://{args['ProcessedBucket']}/staging/movies/movie_people/",
        "compression": "snappy",
        "partitionKeys": [],
    },
    transformation_ctx="Stagedpeople_node16",
)

# Script generated for node Quarantine
Quarantine_node17 = glueContext.write_dynamic_frame.from_options(
    frame=Textasitcame_node12,
    connection_type="s3",
    format="json",
    connection_options={
        "path": f"s3://{args['ProcessedBucket']}/staging/movies/quarantine/",
        "partitionKeys": [],
    },
    transformation_ctx="Quarantine_node17",
)

# Script generated for node Studios
SqlQuery18 = """
select distinct
    imdb_id_typed as imdb_id,
    trim(name) as studio
from good
    lateral view explode(split(production_typed, ',')) names as name
where trim(name) <> ''
"""
Studios_node18 = sparkSqlQuery(
    glueContext,
    query=SqlQuery18,
    mapping={"good": Goodrows_node6},
    transformation_ctx="Studios_node18",
)

# Script generated for node Staged studios
Stagedstudios_node19 = glueContext.write_dynamic_frame.from_options(
    frame=Studios_node18,
    connection_type="s3",
    format="parquet",
    connection_options={
        "path": f"s3://{args['ProcessedBucket']}/staging/movies/movie_studios/",
        "compression": "snappy",
        "partitionKeys": [],
    },
    transformation_ctx="Stagedstudios_node19",
)

job.commit()
