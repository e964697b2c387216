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

# Script generated for node Types
Types_node2 = ApplyMapping.apply(
    frame=Films_node1,
    mappings=[
        ("id", "string", "ID", "string"),
        ("title", "string", "title", "string"),
        ("year", "string", "year", "int"),
    ],
    transformation_ctx="Types_node2",
)

# Script generated for node Write films_csv
Writefilms_csv_node3 = glueContext.getSink(
    path=f"s3://{args['ProcessedBucket']}/out/films_csv/",
    connection_type="s3",
    updateBehavior="UPDATE_IN_DATABASE",
    partitionKeys=["year"],
    enableUpdateCatalog=True,
    transformation_ctx="Writefilms_csv_node3",
)
Writefilms_csv_node3.setCatalogInfo(catalogDatabase=args["BatchDatabase"], catalogTableName="films_csv")
Writefilms_csv_node3.setFormat("csv")
Writefilms_csv_node3.writeFrame(Types_node2)

# Script generated for node Write films_json
Writefilms_json_node4 = glueContext.getSink(
    path=f"s3://{args['ProcessedBucket']}/out/films_json/",
    connection_type="s3",
    updateBehavior="UPDATE_IN_DATABASE",
    partitionKeys=["year"],
    enableUpdateCatalog=True,
    transformation_ctx="Writefilms_json_node4",
)
Writefilms_json_node4.setCatalogInfo(catalogDatabase=args["BatchDatabase"], catalogTableName="films_json")
Writefilms_json_node4.setFormat("json")
Writefilms_json_node4.writeFrame(Types_node2)

job.commit()
