import sys
from awsglue.transforms import *
from awsglue.utils import getResolvedOptions
from pyspark.context import SparkContext
from awsglue.context import GlueContext
from awsglue.job import Job
from awsglue.dynamicframe import DynamicFrame

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

# Script generated for node Ratings
Ratings_node2 = glueContext.create_dynamic_frame.from_options(
    format_options={"quoteChar": '"', "withHeader": True, "separator": ",", "optimizePerformance": False},
    connection_type="s3",
    format="csv",
    connection_options={"paths": [f"s3://{args['ProcessedBucket']}/input/ratings/"], "recurse": True},
    transformation_ctx="Ratings_node2",
)

# Script generated for node Rated left
Films_node1DF = Films_node1.toDF()
Ratings_node2DF = Ratings_node2.toDF()
Ratedleft_node3 = DynamicFrame.fromDF(
    Films_node1DF.join(Ratings_node2DF, (Films_node1DF["id"] == Ratings_node2DF["film"]), "left"),
    glueContext,
    "Ratedleft_node3",
)

# Script generated for node Write left
Writeleft_node4 = glueContext.write_dynamic_frame.from_options(
    frame=Ratedleft_node3,
    connection_type="s3",
    format="parquet",
    connection_options={
        "path": f"s3://{args['ProcessedBucket']}/out/left/",
        "partitionKeys": [],
    },
    transformation_ctx="Writeleft_node4",
)

# Script generated for node Rated right
Films_node1DF = Films_node1.toDF()
Ratings_node2DF = Ratings_node2.toDF()
Ratedright_node5 = DynamicFrame.fromDF(
    Films_node1DF.join(Ratings_node2DF, (Films_node1DF["id"] == Ratings_node2DF["film"]), "right"),
    glueContext,
    "Ratedright_node5",
)

# Script generated for node Write right
Writeright_node6 = glueContext.write_dynamic_frame.from_options(
    frame=Ratedright_node5,
    connection_type="s3",
    format="parquet",
    connection_options={
        "path": f"s3://{args['ProcessedBucket']}/out/right/",
        "partitionKeys": [],
    },
    transformation_ctx="Writeright_node6",
)

# Script generated for node Rated outer
Films_node1DF = Films_node1.toDF()
Ratings_node2DF = Ratings_node2.toDF()
Ratedouter_node7 = DynamicFrame.fromDF(
    Films_node1DF.join(Ratings_node2DF, (Films_node1DF["id"] == Ratings_node2DF["film"]), "outer"),
    glueContext,
    "Ratedouter_node7",
)

# Script generated for node Write outer
Writeouter_node8 = glueContext.write_dynamic_frame.from_options(
    frame=Ratedouter_node7,
    connection_type="s3",
    format="parquet",
    connection_options={
        "path": f"s3://{args['ProcessedBucket']}/out/outer/",
        "partitionKeys": [],
    },
    transformation_ctx="Writeouter_node8",
)

# Script generated for node Rated leftsemi
Films_node1DF = Films_node1.toDF()
Ratings_node2DF = Ratings_node2.toDF()
Ratedleftsemi_node9 = DynamicFrame.fromDF(
    Films_node1DF.join(Ratings_node2DF, (Films_node1DF["id"] == Ratings_node2DF["film"]), "leftsemi"),
    glueContext,
    "Ratedleftsemi_node9",
)

# Script generated for node Write leftsemi
Writeleftsemi_node10 = glueContext.write_dynamic_frame.from_options(
    frame=Ratedleftsemi_node9,
    connection_type="s3",
    format="parquet",
    connection_options={
        "path": f"s3://{args['ProcessedBucket']}/out/leftsemi/",
        "partitionKeys": [],
    },
    transformation_ctx="Writeleftsemi_node10",
)

# Script generated for node Rated leftanti
Films_node1DF = Films_node1.toDF()
Ratings_node2DF = Ratings_node2.toDF()
Ratedleftanti_node11 = DynamicFrame.fromDF(
    Films_node1DF.join(Ratings_node2DF, (Films_node1DF["id"] == Ratings_node2DF["film"]), "leftanti"),
    glueContext,
    "Ratedleftanti_node11",
)

# Script generated for node Write leftanti
Writeleftanti_node12 = glueContext.write_dynamic_frame.from_options(
    frame=Ratedleftanti_node11,
    connection_type="s3",
    format="parquet",
    connection_options={
        "path": f"s3://{args['ProcessedBucket']}/out/leftanti/",
        "partitionKeys": [],
    },
    transformation_ctx="Writeleftanti_node12",
)

job.commit()
