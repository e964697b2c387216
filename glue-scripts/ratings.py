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


args = getResolvedOptions(sys.argv, ["JOB_NAME", "BatchDatabase", "ProcessedDatabase", "ProcessedBucket"])
sc = SparkContext.getOrCreate()
glueContext = GlueContext(sc)
spark = glueContext.spark_session
job = Job(glueContext)
job.init(args["JOB_NAME"], args)

# Script generated for node Batch
Batch_node1 = glueContext.create_dynamic_frame.from_catalog(
    database=args["BatchDatabase"],
    table_name="batch_ratings",
    transformation_ctx="Batch_node1",
)

# Script generated for node Films
Films_node2 = glueContext.create_dynamic_frame.from_catalog(
    database=args["ProcessedDatabase"],
    table_name="movies",
    transformation_ctx="Films_node2",
)

# Script generated for node Drop equal rows
Dropequalrows_node3 = DynamicFrame.fromDF(Batch_node1.toDF().dropDuplicates(), glueContext, "Dropequalrows_node3")

# Script generated for node Type columns
SqlQuery4 = """
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
            to_json(struct(batch.*), map('ignoreNullFields', 'false')) rlike '"(?!beyond_last_column")[^"\\\\\\\\]+":null'
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
"""
Typecolumns_node4 = sparkSqlQuery(
    glueContext,
    query=SqlQuery4,
    mapping={"batch": Dropequalrows_node3, "films": Films_node2},
    transformation_ctx="Typecolumns_node4",
)

# Script generated for node Row rules
Rowrules_node5_ruleset = """
# Audience ratings: what must hold of each row. A row that breaks a rule goes to quarantine, with the rules it broke.
#
# Evaluated inside the job, on the columns of the file as text and, beside each, what it was typed to: <column>_typed.
# Blank becomes NULL there, and so does a text that is no number. NULL fails ColumnValues, therefore a rule on a typed
# column fails for a text of the wrong type as well as for a wrong value. `between` leaves out both ends.

Rules = [
    # About no row: it puts the number of rows, after equal ones were dropped, into the published result.
    # review accepts says-nothing-of-rows, no-fault: reconciliation needs that number, and no row is to fail by it
    RowCount > 0,

    # The form of the row, worked out by the job: fields missing or left over at the end, and bytes that are no UTF-8.
    ColumnValues "row_shape" in ["complete"],
    ColumnValues "row_encoding" in ["utf-8"],

    # Missing, or no number.
    IsComplete "user_id_typed",
    ColumnValues "user_id_typed" > 0 where "user_id_typed is not null",

    # The job joins the films known so far, of whatever date; what is not among them has no partner.
    IsComplete "known_imdb_id",

    # Half a star to five, in halves. The typed column is wider than the scale, so that 4.99 is not rounded onto it.
    ColumnValues "rating_typed" between 0.4 and 5.1,
    ColumnValues "rating_halves_off" = 0 where "rating_halves_off is not null",

    # Seconds since 1970 UTC: since 1990, when nobody rated films online, and no later than the batch's last second.
    ColumnValues "rated_at_typed" > 631151999,
    ColumnValues "seconds_before_batch_end" >= 0,

    # A user rates a film once at a time. Rows with the same key are not equal (those were dropped), so neither can be
    # believed.
    IsUnique "rating_key"
]
"""
Rowrules_node5 = EvaluateDataQuality().process_rows(
    frame=Typecolumns_node4,
    ruleset=Rowrules_node5_ruleset,
    publishing_options={
        "dataQualityEvaluationContext": "ratings_rows",
        "enableDataQualityCloudWatchMetrics": True,
        "enableDataQualityResultsPublishing": True,
    },
    additional_options={"observations.scope": "ALL", "performanceTuning.caching": "CACHE_NOTHING"},
)

# Script generated for node rowLevelOutcomes
rowLevelOutcomes_node6 = SelectFromCollection.apply(
    dfc=Rowrules_node5,
    key="rowLevelOutcomes",
    transformation_ctx="rowLevelOutcomes_node6",
)

# Script generated for node Good rows
SqlQuery7 = """
select
    *,
    timestamp_seconds(rated_at_typed) as rated_at_utc
from judged
where DataQualityEvaluationResult = 'Passed'
"""
Goodrows_node7 = sparkSqlQuery(
    glueContext,
    query=SqlQuery7,
    mapping={"judged": rowLevelOutcomes_node6},
    transformation_ctx="Goodrows_node7",
)

# Script generated for node Ratings
Ratings_node8 = ApplyMapping.apply(
    frame=Goodrows_node7,
    mappings=[
        ("user_id_typed", "bigint", "user_id", "bigint"),
        ("imdb_id_typed", "string", "imdb_id", "string"),
        ("rating_typed", "double", "rating", "decimal(2,1)"),
        ("rated_at_utc", "timestamp", "rated_at", "timestamp"),
    ],
    transformation_ctx="Ratings_node8",
)

# Script generated for node Bad rows
SqlQuery9 = """
-- The row as it came; the rules as one text, since the warehouse counts by it.
select
    *,
    array_join(DataQualityRulesFail, char(10)) as rules_broken
from judged
where DataQualityEvaluationResult = 'Failed'
"""
Badrows_node9 = sparkSqlQuery(
    glueContext,
    query=SqlQuery9,
    mapping={"judged": rowLevelOutcomes_node6},
    transformation_ctx="Badrows_node9",
)

# Script generated for node Text as it came
Textasitcame_node10 = DropFields.apply(
    frame=Badrows_node9,
    paths=[
        "user_id_typed",
        "imdb_id_typed",
        "known_imdb_id",
        "rating_typed",
        "rating_halves_off",
        "rated_at_typed",
        "seconds_before_batch_end",
        "rating_key",
        "row_shape",
        "row_encoding",
        "DataQualityRulesPass",
        "DataQualityRulesFail",
        "DataQualityRulesSkip",
        "DataQualityEvaluationResult",
    ],
    transformation_ctx="Textasitcame_node10",
)

# Script generated for node Staged ratings
Stagedratings_node11 = glueContext.write_dynamic_frame.from_options(
    frame=Ratings_node8,
    connection_type="s3",
    format="parquet",
    connection_options={
        "path": f"s3://{args['ProcessedBucket']}/staging/ratings/ratings/",
        "compression": "snappy",
        "partitionKeys": [],
    },
    transformation_ctx="Stagedratings_node11",
)

# Script generated for node Quarantine
Quarantine_node12 = glueContext.write_dynamic_frame.from_options(
    frame=Textasitcame_node10,
    connection_type="s3",
    format="json",
    connection_options={
        "path": f"s3://{args['ProcessedBucket']}/staging/ratings/quarantine/",
        "partitionKeys": [],
    },
    transformation_ctx="Quarantine_node12",
)

job.commit()
