import sys
from awsglue.transforms import *
from awsglue.utils import getResolvedOptions
from pyspark.context import SparkContext
from awsglue.context import GlueContext
from awsglue.job import Job
from awsgluedq.transforms import EvaluateDataQuality

args = getResolvedOptions(sys.argv, ["JOB_NAME", "ProcessedBucket"])
sc = SparkContext.getOrCreate()
glueContext = GlueContext(sc)
spark = glueContext.spark_session
job = Job(glueContext)
job.init(args["JOB_NAME"], args)

# Script generated for node Ratings
Ratings_node1 = glueContext.create_dynamic_frame.from_options(
    format_options={"quoteChar": '"', "withHeader": True, "separator": ",", "optimizePerformance": False},
    connection_type="s3",
    format="csv",
    connection_options={"paths": [f"s3://{args['ProcessedBucket']}/input/ratings/"], "recurse": True},
    transformation_ctx="Ratings_node1",
)

# Script generated for node Films
Films_node2 = glueContext.create_dynamic_frame.from_options(
    format_options={"quoteChar": '"', "withHeader": True, "separator": ",", "optimizePerformance": False},
    connection_type="s3",
    format="csv",
    connection_options={"paths": [f"s3://{args['ProcessedBucket']}/input/films/"], "recurse": True},
    transformation_ctx="Films_node2",
)

# Script generated for node Rules on ratings
Rulesonratings_node3_ruleset = """
Rules = [
    IsComplete "film",
    ColumnValues "rating" matches "[45]",
    ReferentialIntegrity "film" "films.id" = 1.0,
    RowCount > 3
]
"""
Rulesonratings_node3 = EvaluateDataQuality().process_rows(
    frame=Ratings_node1,
    additional_data_sources={"films": Films_node2},
    ruleset=Rulesonratings_node3_ruleset,
    publishing_options={
        "dataQualityEvaluationContext": "ratings_rows",
        "enableDataQualityCloudWatchMetrics": True,
        "enableDataQualityResultsPublishing": True,
    },
    additional_options={"observations.scope": "ALL", "performanceTuning.caching": "CACHE_NOTHING"},
)

assert (
    Rulesonratings_node3[EvaluateDataQuality.DATA_QUALITY_RULE_OUTCOMES_KEY]
    .filter(lambda x: x["Outcome"] == "Failed")
    .count()
    == 0
), "The job failed due to failing DQ rules for node: Rules on ratings"

# Script generated for node originalData
originalData_node4 = SelectFromCollection.apply(
    dfc=Rulesonratings_node3,
    key="originalData",
    transformation_ctx="originalData_node4",
)

# Script generated for node Write out
Writeout_node5 = glueContext.write_dynamic_frame.from_options(
    frame=originalData_node4,
    connection_type="s3",
    format="parquet",
    connection_options={
        "path": f"s3://{args['ProcessedBucket']}/out/out/",
        "partitionKeys": [],
    },
    transformation_ctx="Writeout_node5",
)

job.commit()
