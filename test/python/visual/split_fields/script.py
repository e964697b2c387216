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

# Script generated for node Halves
Halves_node2 = SplitFields.apply(
    frame=Films_node1,
    paths=["title", "id"],
    name1="Halves_node20",
    name2="Halves_node21",
    transformation_ctx="Halves_node2",
)

# Script generated for node Chosen
Chosen_node3 = SelectFromCollection.apply(
    dfc=Halves_node2,
    key=list(Halves_node2.keys())[0],
    transformation_ctx="Chosen_node3",
)

# Script generated for node Rest
Rest_node4 = SelectFromCollection.apply(
    dfc=Halves_node2,
    key=list(Halves_node2.keys())[1],
    transformation_ctx="Rest_node4",
)

# Script generated for node Write chosen
Writechosen_node5 = glueContext.write_dynamic_frame.from_options(
    frame=Chosen_node3,
    connection_type="s3",
    format="parquet",
    connection_options={
        "path": f"s3://{args['ProcessedBucket']}/out/chosen/",
        "partitionKeys": [],
    },
    transformation_ctx="Writechosen_node5",
)

# Script generated for node Write rest
Writerest_node6 = glueContext.write_dynamic_frame.from_options(
    frame=Rest_node4,
    connection_type="s3",
    format="parquet",
    connection_options={
        "path": f"s3://{args['ProcessedBucket']}/out/rest/",
        "partitionKeys": [],
    },
    transformation_ctx="Writerest_node6",
)

job.commit()
