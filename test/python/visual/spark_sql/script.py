import sys
from awsglue.transforms import *
from awsglue.utils import getResolvedOptions
from pyspark.context import SparkContext
from awsglue.context import GlueContext
from awsglue.job import Job
from awsglue.dynamicframe import DynamicFrame


def sparkSqlQuery(glueContext, query, mapping, transformation_ctx) -> DynamicFrame:
    for alias, frame in mapping.items():
        frame.toDF().createOrReplaceTempView(alias)
    result = spark.sql(query)
    return DynamicFrame.fromDF(result, glueContext, transformation_ctx)


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

# Script generated for node Ratings
Ratings_node2 = glueContext.create_dynamic_frame.from_options(
    format_options={"quoteChar": '"', "withHeader": True, "separator": ",", "optimizePerformance": False},
    connection_type="s3",
    format="csv",
    connection_options={"paths": [f"s3://{args['ProcessedBucket']}/input/ratings/"], "recurse": True},
    transformation_ctx="Ratings_node2",
)

# Script generated for node Means
SqlQuery3 = f"""
-- It's "quoted"; 'text' and \\\\ stay.
select f.id, f.title, avg(cast(r.rating as int)) as mean, '{args['BatchDatabase']}' as `data base`
from films as f
left join ratings as r on r.film = f.id
where f.title <> 'x\\\\y'
group by f.id, f.title
"""
Means_node3 = sparkSqlQuery(
    glueContext,
    query=SqlQuery3,
    mapping={"films": Films_node1, "ratings": Ratings_node2},
    transformation_ctx="Means_node3",
)

# Script generated for node Write out
Writeout_node4 = glueContext.write_dynamic_frame.from_options(
    frame=Means_node3,
    connection_type="s3",
    format="parquet",
    connection_options={
        "path": f"s3://{args['ProcessedBucket']}/out/out/",
        "partitionKeys": [],
    },
    transformation_ctx="Writeout_node4",
)

job.commit()
