import sys
from awsglue.transforms import *
from awsglue.utils import getResolvedOptions
from pyspark.context import SparkContext
from awsglue.context import GlueContext
from awsglue.job import Job
from awsglue.dynamicframe import DynamicFrame


def sparkUnion(glueContext, unionType, mapping, transformation_ctx) -> DynamicFrame:
    first, second = [frame.toDF() for frame in mapping.values()]
    result = first.union(second)
    if unionType == "DISTINCT":
        result = result.distinct()
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

# Script generated for node More films
Morefilms_node2 = glueContext.create_dynamic_frame.from_options(
    format_options={"quoteChar": '"', "withHeader": True, "separator": ",", "optimizePerformance": False},
    connection_type="s3",
    format="csv",
    connection_options={"paths": [f"s3://{args['ProcessedBucket']}/input/more/"], "recurse": True},
    transformation_ctx="Morefilms_node2",
)

# Script generated for node All
All_node3 = sparkUnion(
    glueContext,
    unionType="ALL",
    mapping={"source1": Films_node1, "source2": Morefilms_node2},
    transformation_ctx="All_node3",
)

# Script generated for node Write all
Writeall_node4 = glueContext.write_dynamic_frame.from_options(
    frame=All_node3,
    connection_type="s3",
    format="parquet",
    connection_options={
        "path": f"s3://{args['ProcessedBucket']}/out/all/",
        "partitionKeys": [],
    },
    transformation_ctx="Writeall_node4",
)

# Script generated for node Distinct
Distinct_node5 = sparkUnion(
    glueContext,
    unionType="DISTINCT",
    mapping={"source1": Films_node1, "source2": Morefilms_node2},
    transformation_ctx="Distinct_node5",
)

# Script generated for node Write distinct
Writedistinct_node6 = glueContext.write_dynamic_frame.from_options(
    frame=Distinct_node5,
    connection_type="s3",
    format="parquet",
    connection_options={
        "path": f"s3://{args['ProcessedBucket']}/out/distinct/",
        "partitionKeys": [],
    },
    transformation_ctx="Writedistinct_node6",
)

job.commit()
