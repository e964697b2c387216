def sparkAggregate(glueContext, parentFrame, groups, aggs, transformation_ctx) -> DynamicFrame:
    functions = [getattr(SqlFuncs, function)(column) for column, function in aggs]
    result = parentFrame.toDF().groupBy(*groups).agg(*functions)
    return DynamicFrame.fromDF(result, glueContext, transformation_ctx)
