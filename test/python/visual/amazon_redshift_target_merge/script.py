import sys
from awsglue.transforms import *
from awsglue.utils import getResolvedOptions
from pyspark.context import SparkContext
from awsglue.context import GlueContext
from awsglue.job import Job

args = getResolvedOptions(sys.argv, ["JOB_NAME", "ProcessedBucket", "Connection", "Table", "TempDir"])
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
        ("id", "string", "id", "string"),
        ("title", "string", "title", "string"),
        ("year", "string", "year", "int"),
    ],
    transformation_ctx="Types_node2",
)

# Script generated for node Warehouse
Warehouse_node3 = glueContext.write_dynamic_frame.from_options(
    frame=Types_node2,
    connection_type="redshift",
    connection_options={
        "postactions": f"BEGIN; MERGE INTO lake.{args['Table']} USING lake.{args['Table']}_stage ON {args['Table']}.id = {args['Table']}_stage.id WHEN MATCHED THEN UPDATE SET id = {args['Table']}_stage.id, title = {args['Table']}_stage.title, year = {args['Table']}_stage.year WHEN NOT MATCHED THEN INSERT VALUES ({args['Table']}_stage.id, {args['Table']}_stage.title, {args['Table']}_stage.year); DROP TABLE lake.{args['Table']}_stage; END;",
        "redshiftTmpDir": args["TempDir"],
        "useConnectionProperties": "true",
        "dbtable": f"lake.{args['Table']}_stage",
        "connectionName": args["Connection"],
        "preactions": f"CREATE TABLE IF NOT EXISTS lake.{args['Table']} (id VARCHAR(20), title VARCHAR(100), year INTEGER); DROP TABLE IF EXISTS lake.{args['Table']}_stage; CREATE TABLE lake.{args['Table']}_stage (id VARCHAR(20), title VARCHAR(100), year INTEGER);",
    },
    transformation_ctx="Warehouse_node3",
)

job.commit()
