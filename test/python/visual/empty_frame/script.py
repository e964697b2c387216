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
    format_options={"quoteChar": '"', "withHeader": True, "separator": ",", "optimizePerformance": False},
    connection_type="s3",
    format="csv",
    connection_options={"paths": [f"s3://{args['ProcessedBucket']}/input/films/"], "recurse": True},
    transformation_ctx="Films_node1",
)

# Script generated for node Old
Old_node2 = Filter.apply(
    frame=Films_node1,
    f=lambda row: (row["id"] == "x"),
    transformation_ctx="Old_node2",
)

# Script generated for node Types
Types_node3 = ApplyMapping.apply(
    frame=Old_node2,
    mappings=[
        ("id", "string", "id", "string"),
        ("year", "string", "year", "int"),
    ],
    transformation_ctx="Types_node3",
)

# Script generated for node Write out
Writeout_node4 = glueContext.write_dynamic_frame.from_options(
    frame=Types_node3,
    connection_type="s3",
    format="parquet",
    connection_options={
        "path": f"s3://{args['ProcessedBucket']}/out/out/",
        "partitionKeys": [],
    },
    transformation_ctx="Writeout_node4",
)

# Script generated for node Years
Years_node5 = sparkAggregate(
    glueContext,
    parentFrame=Types_node3,
    groups=["id"],
    aggs=[["year", "max"]],
    transformation_ctx="Years_node5",
)

# Script generated for node Write years
Writeyears_node6 = glueContext.write_dynamic_frame.from_options(
    frame=Years_node5,
    connection_type="s3",
    format="parquet",
    connection_options={
        "path": f"s3://{args['ProcessedBucket']}/out/years/",
        "partitionKeys": [],
    },
    transformation_ctx="Writeyears_node6",
)

# Script generated for node Distinct
Distinct_node7 = DynamicFrame.fromDF(Years_node5.toDF().dropDuplicates(), glueContext, "Distinct_node7")

# Script generated for node Write json
Writejson_node8 = glueContext.write_dynamic_frame.from_options(
    frame=Distinct_node7,
    connection_type="s3",
    format="json",
    connection_options={
        "path": f"s3://{args['ProcessedBucket']}/out/json/",
        "partitionKeys": [],
    },
    transformation_ctx="Writejson_node8",
)

job.commit()
