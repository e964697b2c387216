import sys
from awsglue.transforms import *
from awsglue.utils import getResolvedOptions
from pyspark.context import SparkContext
from awsglue.context import GlueContext
from awsglue.job import Job
from awsglue.dynamicframe import DynamicFrameCollection
import concurrent.futures


class GroupFilter:
    def __init__(self, name, filters):
        self.name = name
        self.filters = filters


def threadedRoute(glueContext, source_DyF, group_filters) -> DynamicFrameCollection:
    with concurrent.futures.ThreadPoolExecutor(max_workers=5) as executor:
        parts = executor.map(lambda group: Filter.apply(frame=source_DyF, f=group.filters), group_filters)
        frames = {group.name: part for group, part in zip(group_filters, parts)}
    return DynamicFrameCollection(frames, glueContext)


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

# Script generated for node By age
Byage_node2 = threadedRoute(
    glueContext,
    source_DyF=Films_node1,
    group_filters=[
        GroupFilter(name="old", filters=lambda row: (row["year"] < 1980)),
        GroupFilter(name="good", filters=lambda row: (row["score"] > 8 or row["year"] is None)),
        GroupFilter(
            name="default_group",
            filters=lambda row: (not (row["year"] < 1980) and not (row["score"] > 8 or row["year"] is None)),
        ),
    ],
)

# Script generated for node old
old_node3 = SelectFromCollection.apply(
    dfc=Byage_node2,
    key="old",
    transformation_ctx="old_node3",
)

# Script generated for node Write old
Writeold_node4 = glueContext.write_dynamic_frame.from_options(
    frame=old_node3,
    connection_type="s3",
    format="parquet",
    connection_options={
        "path": f"s3://{args['ProcessedBucket']}/out/old/",
        "partitionKeys": [],
    },
    transformation_ctx="Writeold_node4",
)

# Script generated for node good
good_node5 = SelectFromCollection.apply(
    dfc=Byage_node2,
    key="good",
    transformation_ctx="good_node5",
)

# Script generated for node Write good
Writegood_node6 = glueContext.write_dynamic_frame.from_options(
    frame=good_node5,
    connection_type="s3",
    format="parquet",
    connection_options={
        "path": f"s3://{args['ProcessedBucket']}/out/good/",
        "partitionKeys": [],
    },
    transformation_ctx="Writegood_node6",
)

# Script generated for node default_group
default_group_node7 = SelectFromCollection.apply(
    dfc=Byage_node2,
    key="default_group",
    transformation_ctx="default_group_node7",
)

# Script generated for node Write default_group
Writedefault_group_node8 = glueContext.write_dynamic_frame.from_options(
    frame=default_group_node7,
    connection_type="s3",
    format="parquet",
    connection_options={
        "path": f"s3://{args['ProcessedBucket']}/out/default_group/",
        "partitionKeys": [],
    },
    transformation_ctx="Writedefault_group_node8",
)

job.commit()
