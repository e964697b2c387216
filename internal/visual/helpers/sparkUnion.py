def sparkUnion(glueContext, unionType, mapping, transformation_ctx) -> DynamicFrame:
    first, second = [frame.toDF() for frame in mapping.values()]
    result = first.union(second)
    if unionType == "DISTINCT":
        result = result.distinct()
    return DynamicFrame.fromDF(result, glueContext, transformation_ctx)
