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

# Script generated for node New table
Newtable_node2 = glueContext.getSink(
    path=f"s3://{args['ProcessedBucket']}/out/new/",
    connection_type="s3",
    updateBehavior="UPDATE_IN_DATABASE",
    partitionKeys=["year"],
    enableUpdateCatalog=True,
    transformation_ctx="Newtable_node2",
)
Newtable_node2.setCatalogInfo(catalogDatabase=args["BatchDatabase"], catalogTableName="new")
Newtable_node2.setFormat("glueparquet", compression="gzip")
Newtable_node2.writeFrame(Films_node1)

# Script generated for node Logged table
Loggedtable_node3 = glueContext.getSink(
    path=f"s3://{args['ProcessedBucket']}/input/logged/",
    connection_type="s3",
    updateBehavior="LOG",
    partitionKeys=["year"],
    enableUpdateCatalog=True,
    transformation_ctx="Loggedtable_node3",
)
Loggedtable_node3.setCatalogInfo(catalogDatabase=args["BatchDatabase"], catalogTableName="logged")
Loggedtable_node3.setFormat("glueparquet")
Loggedtable_node3.writeFrame(Films_node1)

# Script generated for node Wider table
Widertable_node4 = glueContext.getSink(
    path=f"s3://{args['ProcessedBucket']}/input/wider/",
    connection_type="s3",
    updateBehavior="UPDATE_IN_DATABASE",
    partitionKeys=[],
    enableUpdateCatalog=True,
    transformation_ctx="Widertable_node4",
)
Widertable_node4.setCatalogInfo(catalogDatabase=args["BatchDatabase"], catalogTableName="wider")
Widertable_node4.setFormat("glueparquet", compression="snappy")
Widertable_node4.writeFrame(Films_node1)

# Script generated for node Files
Files_node5 = glueContext.write_dynamic_frame.from_options(
    frame=Films_node1,
    connection_type="s3",
    format="glueparquet",
    connection_options={
        "path": f"s3://{args['ProcessedBucket']}/out/files/",
        "partitionKeys": [],
    },
    transformation_ctx="Files_node5",
)

job.commit()
