import sys
from awsglue.transforms import *
from awsglue.utils import getResolvedOptions
from pyspark.context import SparkContext
from awsglue.context import GlueContext
from awsglue.job import Job

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

# Script generated for node Write csv
Writecsv_node2 = glueContext.write_dynamic_frame.from_options(
    frame=Films_node1,
    connection_type="s3",
    format="csv",
    connection_options={
        "path": f"s3://{args['ProcessedBucket']}/out/csv/",
        "compression": "gzip",
        "partitionKeys": [],
    },
    transformation_ctx="Writecsv_node2",
)

# Script generated for node Write json
Writejson_node3 = glueContext.write_dynamic_frame.from_options(
    frame=Films_node1,
    connection_type="s3",
    format="json",
    connection_options={
        "path": f"s3://{args['ProcessedBucket']}/out/json/",
        "compression": "bzip2",
        "partitionKeys": [],
    },
    transformation_ctx="Writejson_node3",
)

# Script generated for node Write plain
Writeplain_node4 = glueContext.write_dynamic_frame.from_options(
    frame=Films_node1,
    connection_type="s3",
    format="json",
    connection_options={
        "path": f"s3://{args['ProcessedBucket']}/out/plain/",
        "partitionKeys": [],
    },
    transformation_ctx="Writeplain_node4",
)

# Script generated for node Write orc
Writeorc_node5 = glueContext.write_dynamic_frame.from_options(
    frame=Films_node1,
    connection_type="s3",
    format="orc",
    connection_options={
        "path": f"s3://{args['ProcessedBucket']}/out/orc/",
        "partitionKeys": [],
    },
    transformation_ctx="Writeorc_node5",
)

# Script generated for node Write parquet
Writeparquet_node6 = glueContext.write_dynamic_frame.from_options(
    frame=Films_node1,
    connection_type="s3",
    format="parquet",
    connection_options={
        "path": f"s3://{args['ProcessedBucket']}/out/parquet/",
        "compression": "gzip",
        "partitionKeys": ["year", "id"],
    },
    transformation_ctx="Writeparquet_node6",
)

job.commit()
