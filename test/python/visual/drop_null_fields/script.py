import sys
from awsglue.transforms import *
from awsglue.utils import getResolvedOptions
from pyspark.context import SparkContext
from awsglue.context import GlueContext
from awsglue.job import Job
from awsglue.dynamicframe import DynamicFrame
from pyspark.sql import functions as SqlFuncs


def _value_paths(schema, path=""):
    for field in schema.fields:
        name = f"{path}`{field.name}`"
        if field.dataType.typeName() == "struct":
            yield from _value_paths(field.dataType, name + ".")
        else:
            yield name, field.dataType.typeName()


def drop_nulls(glueContext, frame, nullStringSet, nullIntegerSet, transformation_ctx) -> DynamicFrame:
    data = frame.toDF()
    present, paths = [], []
    for path, kind in _value_paths(data.schema):
        value = SqlFuncs.col(path)
        if kind == "string":
            value = SqlFuncs.when(~SqlFuncs.trim(value).isin(list(nullStringSet)), value)
        elif kind in ("integer", "long", "double"):
            value = SqlFuncs.when(~value.isin(list(nullIntegerSet)), value)
        present.append(SqlFuncs.count(value).alias(str(len(paths))))
        paths.append(path)
    counts = data.agg(*present).first() if present else ()
    nullColumns = [path for path, count in zip(paths, counts) if count == 0]
    return DropFields.apply(frame=frame, paths=nullColumns, transformation_ctx=transformation_ctx)


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

# Script generated for node Kept
Kept_node2 = drop_nulls(
    glueContext,
    frame=Films_node1,
    nullStringSet={"", "null", "n/a"},
    nullIntegerSet={-1},
    transformation_ctx="Kept_node2",
)

# Script generated for node Write out
Writeout_node3 = glueContext.write_dynamic_frame.from_options(
    frame=Kept_node2,
    connection_type="s3",
    format="parquet",
    connection_options={
        "path": f"s3://{args['ProcessedBucket']}/out/out/",
        "partitionKeys": [],
    },
    transformation_ctx="Writeout_node3",
)

job.commit()
