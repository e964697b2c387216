import sys
from awsglue.transforms import *
from awsglue.utils import getResolvedOptions
from pyspark.context import SparkContext
from awsglue.context import GlueContext
from awsglue.job import Job
from awsglue.dynamicframe import DynamicFrameCollection
from awsglue.dynamicframe import DynamicFrame


# Script generated for node Score
def Score(glueContext, dfc) -> DynamicFrameCollection:
    films, ratings = (dfc.select(key).toDF() for key in dfc.keys())
    scored = films.join(ratings, films.id == ratings.film, "left_semi")
    rest = films.join(ratings, films.id == ratings.film, "left_anti")
    frames = {
        "scored": DynamicFrame.fromDF(scored, glueContext, "scored"),
        "rest": DynamicFrame.fromDF(rest, glueContext, "rest"),
    }
    return DynamicFrameCollection(frames, glueContext)


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

# Script generated for node Score
Score_node3 = Score(
    glueContext,
    DynamicFrameCollection({"Films_node1": Films_node1, "Ratings_node2": Ratings_node2}, glueContext),
)

# Script generated for node Scored
Scored_node4 = SelectFromCollection.apply(
    dfc=Score_node3,
    key=list(Score_node3.keys())[0],
    transformation_ctx="Scored_node4",
)

# Script generated for node Rest
Rest_node5 = SelectFromCollection.apply(
    dfc=Score_node3,
    key=list(Score_node3.keys())[1],
    transformation_ctx="Rest_node5",
)

# Script generated for node Write scored
Writescored_node6 = glueContext.write_dynamic_frame.from_options(
    frame=Scored_node4,
    connection_type="s3",
    format="parquet",
    connection_options={
        "path": f"s3://{args['ProcessedBucket']}/out/scored/",
        "partitionKeys": [],
    },
    transformation_ctx="Writescored_node6",
)

# Script generated for node Write rest
Writerest_node7 = glueContext.write_dynamic_frame.from_options(
    frame=Rest_node5,
    connection_type="s3",
    format="parquet",
    connection_options={
        "path": f"s3://{args['ProcessedBucket']}/out/rest/",
        "partitionKeys": [],
    },
    transformation_ctx="Writerest_node7",
)

job.commit()
