import sys
from awsglue.transforms import *
from awsglue.utils import getResolvedOptions
from pyspark.context import SparkContext
from awsglue.context import GlueContext
from awsglue.job import Job
import re

args = getResolvedOptions(sys.argv, ["JOB_NAME", "ProcessedBucket"])
sc = SparkContext.getOrCreate()
glueContext = GlueContext(sc)
spark = glueContext.spark_session
job = Job(glueContext)
job.init(args["JOB_NAME"], args)

# Script generated for node Films
Films_node1 = glueContext.create_dynamic_frame.from_options(
    format_options={},
    connection_type="s3",
    format="json",
    connection_options={"paths": [f"s3://{args['ProcessedBucket']}/input/films/"], "recurse": True},
    transformation_ctx="Films_node1",
)

# Script generated for node both
both_node2 = Filter.apply(
    frame=Films_node1,
    f=lambda row: (row["year"] >= 1979 and row["year"] < 2000 and not (row["id"] == "z")),
    transformation_ctx="both_node2",
)

# Script generated for node Write both
Writeboth_node3 = glueContext.write_dynamic_frame.from_options(
    frame=both_node2,
    connection_type="s3",
    format="parquet",
    connection_options={
        "path": f"s3://{args['ProcessedBucket']}/out/both/",
        "partitionKeys": [],
    },
    transformation_ctx="Writeboth_node3",
)

# Script generated for node either
either_node4 = Filter.apply(
    frame=Films_node1,
    f=lambda row: (bool(re.match(".* [0-9]$", row["title"])) or row["score"] > 8.9),
    transformation_ctx="either_node4",
)

# Script generated for node Write either
Writeeither_node5 = glueContext.write_dynamic_frame.from_options(
    frame=either_node4,
    connection_type="s3",
    format="parquet",
    connection_options={
        "path": f"s3://{args['ProcessedBucket']}/out/either/",
        "partitionKeys": [],
    },
    transformation_ctx="Writeeither_node5",
)

# Script generated for node missing
missing_node6 = Filter.apply(
    frame=Films_node1,
    f=lambda row: (row["year"] is None and row["score"] <= 10),
    transformation_ctx="missing_node6",
)

# Script generated for node Write missing
Writemissing_node7 = glueContext.write_dynamic_frame.from_options(
    frame=missing_node6,
    connection_type="s3",
    format="parquet",
    connection_options={
        "path": f"s3://{args['ProcessedBucket']}/out/missing/",
        "partitionKeys": [],
    },
    transformation_ctx="Writemissing_node7",
)

# Script generated for node columns
columns_node8 = Filter.apply(
    frame=Films_node1,
    f=lambda row: (row["score"] < row["year"]),
    transformation_ctx="columns_node8",
)

# Script generated for node Write columns
Writecolumns_node9 = glueContext.write_dynamic_frame.from_options(
    frame=columns_node8,
    connection_type="s3",
    format="parquet",
    connection_options={
        "path": f"s3://{args['ProcessedBucket']}/out/columns/",
        "partitionKeys": [],
    },
    transformation_ctx="Writecolumns_node9",
)

job.commit()
