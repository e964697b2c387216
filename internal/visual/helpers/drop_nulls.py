def _value_paths(schema, path=""):
    for field in schema.fields:
        name = f"{path}`{field.name}`"
        if field.dataType.typeName() == "struct":
            yield from _value_paths(field.dataType, name + ".")
        else:
            yield name, field.dataType.typeName()


def drop_nulls(glueContext, frame, nullStringSet, nullIntegerSet, transformation_ctx) -> DynamicFrame:
    data = frame.toDF()
    present, paths = [], []
    for path, kind in _value_paths(data.schema):
        value = SqlFuncs.col(path)
        if kind == "string":
            value = SqlFuncs.when(~SqlFuncs.trim(value).isin(list(nullStringSet)), value)
        elif kind in ("integer", "long", "double"):
            value = SqlFuncs.when(~value.isin(list(nullIntegerSet)), value)
        present.append(SqlFuncs.count(value).alias(str(len(paths))))
        paths.append(path)
    counts = data.agg(*present).first() if present else ()
    nullColumns = [path for path, count in zip(paths, counts) if count == 0]
    return DropFields.apply(frame=frame, paths=nullColumns, transformation_ctx=transformation_ctx)
