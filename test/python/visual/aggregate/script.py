import sys
from awsglue.transforms import *
from awsglue.utils import getResolvedOptions
from pyspark.context import SparkContext
from awsglue.context import GlueContext
from awsglue.job import Job
from awsglue.dynamicframe import DynamicFrame
from pyspark.sql import functions as SqlFuncs


def sparkAggregate(glueContext, parentFrame, groups, aggs, transformation_ctx) -> DynamicFrame:
    functions = [getattr(SqlFuncs, function)(column) for column, function in aggs]
    result = parentFrame.toDF().groupBy(*groups).agg(*functions)
    return DynamicFrame.fromDF(result, glueContext, transformation_ctx)


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

# Script generated for node By film
Byfilm_node2 = sparkAggregate(
    glueContext,
    parentFrame=Films_node1,
    groups=["film"],
    aggs=[
        ["rating", "avg"],
        ["rating", "count"],
        ["rating", "countDistinct"],
        ["rating", "max"],
        ["rating", "min"],
        ["rating", "sum"],
        ["rating", "sumDistinct"],
        ["rating", "stddev_pop"],
        ["rating", "var_samp"],
    ],
    transformation_ctx="Byfilm_node2",
)

# Script generated for node Write groups
Writegroups_node3 = glueContext.write_dynamic_frame.from_options(
    frame=Byfilm_node2,
    connection_type="s3",
    format="parquet",
    connection_options={
        "path": f"s3://{args['ProcessedBucket']}/out/groups/",
        "partitionKeys": [],
    },
    transformation_ctx="Writegroups_node3",
)

# Script generated for node In all
Inall_node4 = sparkAggregate(
    glueContext,
    parentFrame=Films_node1,
    groups=[],
    aggs=[["rating", "sum"], ["film", "countDistinct"]],
    transformation_ctx="Inall_node4",
)

# Script generated for node Write all
Writeall_node5 = glueContext.write_dynamic_frame.from_options(
    frame=Inall_node4,
    connection_type="s3",
    format="parquet",
    connection_options={
        "path": f"s3://{args['ProcessedBucket']}/out/all/",
        "partitionKeys": [],
    },
    transformation_ctx="Writeall_node5",
)

job.commit()
