import sys
from awsglue.transforms import *
from awsglue.utils import getResolvedOptions
from pyspark.context import SparkContext
from awsglue.context import GlueContext
from awsglue.job import Job

args = getResolvedOptions(sys.argv, ["JOB_NAME", "ProcessedBucket", "BatchDatabase"])
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

# Script generated for node Known
Known_node2 = glueContext.write_dynamic_frame.from_catalog(
    frame=Films_node1,
    database=args["BatchDatabase"],
    table_name="films",
    additional_options={"enableUpdateCatalog": True, "updateBehavior": "UPDATE_IN_DATABASE", "partitionKeys": ["year"]},
    transformation_ctx="Known_node2",
)

# Script generated for node Unknown partitions
Unknownpartitions_node3 = glueContext.write_dynamic_frame.from_catalog(
    frame=Films_node1,
    database=args["BatchDatabase"],
    table_name="unseen",
    transformation_ctx="Unknownpartitions_node3",
)

job.commit()
