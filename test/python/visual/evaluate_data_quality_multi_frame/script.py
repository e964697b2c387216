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
        "resultsS3Prefix": f"s3://{args['ProcessedBucket']}/out/results/",
    },
    additional_options={"observations.scope": "ALL", "performanceTuning.caching": "CACHE_NOTHING"},
)

# Script generated for node ruleOutcomes
ruleOutcomes_node4 = SelectFromCollection.apply(
    dfc=Rulesonratings_node3,
    key="ruleOutcomes",
    transformation_ctx="ruleOutcomes_node4",
)

# Script generated for node rowLevelOutcomes
rowLevelOutcomes_node5 = SelectFromCollection.apply(
    dfc=Rulesonratings_node3,
    key="rowLevelOutcomes",
    transformation_ctx="rowLevelOutcomes_node5",
)

# Script generated for node Rules
Rules_node6 = SelectFields.apply(
    frame=ruleOutcomes_node4,
    paths=["Rule", "Outcome"],
    transformation_ctx="Rules_node6",
)

# Script generated for node Write rules
Writerules_node7 = glueContext.write_dynamic_frame.from_options(
    frame=Rules_node6,
    connection_type="s3",
    format="parquet",
    connection_options={
        "path": f"s3://{args['ProcessedBucket']}/out/rules/",
        "partitionKeys": [],
    },
    transformation_ctx="Writerules_node7",
)

# Script generated for node Rows
Rows_node8 = SelectFields.apply(
    frame=rowLevelOutcomes_node5,
    paths=["film", "rating", "DataQualityRulesFail", "DataQualityEvaluationResult"],
    transformation_ctx="Rows_node8",
)

# Script generated for node Write rows
Writerows_node9 = glueContext.write_dynamic_frame.from_options(
    frame=Rows_node8,
    connection_type="s3",
    format="parquet",
    connection_options={
        "path": f"s3://{args['ProcessedBucket']}/out/rows/",
        "partitionKeys": [],
    },
    transformation_ctx="Writerows_node9",
)

job.commit()
