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
    format_options={},
    connection_type="s3",
    format="json",
    connection_options={"paths": [f"s3://{args['ProcessedBucket']}/input/films/"], "recurse": True},
    transformation_ctx="Films_node1",
)

# Script generated for node Year
Year_node2 = RenameField.apply(
    frame=Films_node1,
    old_name="Year",
    new_name="`release year`",
    transformation_ctx="Year_node2",
)

# Script generated for node City
City_node3 = RenameField.apply(
    frame=Year_node2,
    old_name="studio.city.name",
    new_name="studio.city.town",
    transformation_ctx="City_node3",
)

# Script generated for node Gross
Gross_node4 = RenameField.apply(
    frame=City_node3,
    old_name="`gross.usd`",
    new_name="gross",
    transformation_ctx="Gross_node4",
)

# Script generated for node Write out
Writeout_node5 = glueContext.write_dynamic_frame.from_options(
    frame=Gross_node4,
    connection_type="s3",
    format="parquet",
    connection_options={
        "path": f"s3://{args['ProcessedBucket']}/out/out/",
        "partitionKeys": [],
    },
    transformation_ctx="Writeout_node5",
)

job.commit()
