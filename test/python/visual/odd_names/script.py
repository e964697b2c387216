import sys
from awsglue.transforms import *
from awsglue.utils import getResolvedOptions
from pyspark.context import SparkContext
from awsglue.context import GlueContext
from awsglue.job import Job
from awsglue.dynamicframe import DynamicFrame
from pyspark.sql import functions as SqlFuncs
import re


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

# Script generated for node Hi
Hi_node2 = Filter.apply(
    frame=Films_node1,
    f=lambda row: (row['say "hi"'] == "x" and bool(re.match("[0-9.]+", row["box.office"]))),
    transformation_ctx="Hi_node2",
)

# Script generated for node Types
Types_node3 = ApplyMapping.apply(
    frame=Hi_node2,
    mappings=[
        ("`Film Id`", "string", "`Film Id`", "string"),
        ("`BOX.OFFICE`", "string", "`box.office`", "double"),
        ('`say "hi"`', "string", '`say "hi"`', "string"),
        ("Müsli", "string", "Müsli", "string"),
    ],
    transformation_ctx="Types_node3",
)

# Script generated for node Renamed
Renamed_node4 = RenameField.apply(
    frame=Types_node3,
    old_name='`say "hi"`',
    new_name="it's",
    transformation_ctx="Renamed_node4",
)

# Script generated for node Some
Some_node5 = SelectFields.apply(
    frame=Renamed_node4,
    paths=["`Film Id`", "it's", "Müsli"],
    transformation_ctx="Some_node5",
)

# Script generated for node One
One_node6 = DynamicFrame.fromDF(Some_node5.toDF().dropDuplicates(), glueContext, "One_node6")

# Script generated for node Write out
Writeout_node7 = glueContext.write_dynamic_frame.from_options(
    frame=One_node6,
    connection_type="s3",
    format="parquet",
    connection_options={
        "path": f"s3://{args['ProcessedBucket']}/out/out/",
        "partitionKeys": [],
    },
    transformation_ctx="Writeout_node7",
)

# Script generated for node Sums
Sums_node8 = sparkAggregate(
    glueContext,
    parentFrame=Types_node3,
    groups=["`Film Id`"],
    aggs=[["`box.office`", "sum"]],
    transformation_ctx="Sums_node8",
)

# Script generated for node Write sums
Writesums_node9 = glueContext.write_dynamic_frame.from_options(
    frame=Sums_node8,
    connection_type="s3",
    format="parquet",
    connection_options={
        "path": f"s3://{args['ProcessedBucket']}/out/sums/",
        "partitionKeys": [],
    },
    transformation_ctx="Writesums_node9",
)

# Script generated for node Fewer
Fewer_node10 = DropFields.apply(
    frame=Films_node1,
    paths=["`box.office`", '`say "hi"`', "Müsli"],
    transformation_ctx="Fewer_node10",
)

# Script generated for node Write fewer
Writefewer_node11 = glueContext.write_dynamic_frame.from_options(
    frame=Fewer_node10,
    connection_type="s3",
    format="json",
    connection_options={
        "path": f"s3://{args['ProcessedBucket']}/out/fewer/",
        "partitionKeys": [],
    },
    transformation_ctx="Writefewer_node11",
)

job.commit()
