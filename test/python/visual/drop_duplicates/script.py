import sys
from awsglue.transforms import *
from awsglue.utils import getResolvedOptions
from pyspark.context import SparkContext
from awsglue.context import GlueContext
from awsglue.job import Job
from awsglue.dynamicframe import DynamicFrame

args = getResolvedOptions(sys.argv, ["JOB_NAME", "ProcessedBucket"])
sc = SparkContext.getOrCreate()
glueContext = GlueContext(sc)
spark = glueContext.spark_session
job = Job(glueContext)
job.init(args["JOB_NAME"], args)

# Script generated for node Films
Films_node1 = glueContext.create_dynamic_frame.from_options(
    format_options={"quoteChar": '"', "withHeader": True, "separator": ",", "optimizePerformance": False},
    connection_type="s3",
    format="csv",
    connection_options={"paths": [f"s3://{args['ProcessedBucket']}/input/films/"], "recurse": True},
    transformation_ctx="Films_node1",
)

# Script generated for node Distinct
Distinct_node2 = DynamicFrame.fromDF(Films_node1.toDF().dropDuplicates(), glueContext, "Distinct_node2")

# Script generated for node Write rows
Writerows_node3 = glueContext.write_dynamic_frame.from_options(
    frame=Distinct_node2,
    connection_type="s3",
    format="parquet",
    connection_options={
        "path": f"s3://{args['ProcessedBucket']}/out/rows/",
        "partitionKeys": [],
    },
    transformation_ctx="Writerows_node3",
)

# Script generated for node One a title
Oneatitle_node4 = DynamicFrame.fromDF(
    Films_node1.toDF().dropDuplicates(["title", "year"]),
    glueContext,
    "Oneatitle_node4",
)

# Script generated for node Keys
Keys_node5 = SelectFields.apply(
    frame=Oneatitle_node4,
    paths=["title", "year"],
    transformation_ctx="Keys_node5",
)

# Script generated for node Write keys
Writekeys_node6 = glueContext.write_dynamic_frame.from_options(
    frame=Keys_node5,
    connection_type="s3",
    format="parquet",
    connection_options={
        "path": f"s3://{args['ProcessedBucket']}/out/keys/",
        "partitionKeys": [],
    },
    transformation_ctx="Writekeys_node6",
)

job.commit()
