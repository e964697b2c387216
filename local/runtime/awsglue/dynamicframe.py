"""`DynamicFrame` over a Spark DataFrame.

A local frame has one schema, that of its DataFrame: no choice types, no error records.
https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-crawler-pyspark-extensions-dynamic-frame.html
"""

# ruff: noqa: B006 - names and defaults are those of awsglue.

import re
from collections.abc import Callable, Iterable
from functools import reduce
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, DataType, NullType, StructType

# Glue's own names of types; all others are Spark's.
GLUE_TYPES = {"long": "bigint", "short": "smallint", "byte": "tinyint", "integer": "int", "decimal": "decimal(10,2)"}
# What a mapping names without its insides: the field stays as it is.
NOT_CAST = ("array", "choice", "map", "null", "struct")
COMPARATORS: dict[str, Callable[[Column, Any], Column]] = {
    ">": lambda column, value: column > value,
    ">=": lambda column, value: column >= value,
    "<": lambda column, value: column < value,
    "<=": lambda column, value: column <= value,
    "=": lambda column, value: column == value,
    "!=": lambda column, value: column != value,
}


class ResolveOption:
    """How `toDF` resolves a choice type; local frames have none."""

    def __init__(self, path: str, action: str, target: Any = None) -> None:
        self.path = path
        self.action = action
        self.target = target


class DynamicFrame:
    """A Spark DataFrame with the methods of Glue's DynamicFrame. `jdf` is the DataFrame."""

    def __init__(self, jdf: DataFrame, glue_ctx: Any, name: str = "") -> None:
        self._jdf = jdf
        self.glue_ctx = glue_ctx
        self.name = name

    @classmethod
    def fromDF(cls, dataframe: DataFrame, glue_ctx: Any, name: str = "") -> "DynamicFrame":
        """A frame of a DataFrame's rows."""
        return cls(dataframe, glue_ctx, name)

    def toDF(self, options: list[ResolveOption] | None = None) -> DataFrame:
        """The frame's rows as a DataFrame."""
        if options:
            raise NotImplementedError("DynamicFrame.toDF with options: local frames have no choice types to resolve")
        return self._jdf

    def _with(self, frame: DataFrame, name: str | None = None) -> "DynamicFrame":
        return DynamicFrame(frame, self.glue_ctx, self.name if name is None else name)

    def with_frame_schema(self, schema: Any) -> "DynamicFrame":
        """The frame; its schema is always known."""
        return self

    def schema(self) -> StructType:
        """The schema, as Spark's StructType."""
        return self._jdf.schema

    def printSchema(self) -> None:
        """Print the schema as a tree."""
        self._jdf.printSchema()

    def show(self, num_rows: int = 20) -> None:
        """Print rows, one JSON object a line."""
        for line in self._jdf.limit(num_rows).toJSON().collect():
            print(line)

    def count(self) -> int:
        """How many rows."""
        return self._jdf.count()

    def filter(
        self,
        f: Callable[[Any], Any],
        transformation_ctx: str = "",
        info: str = "",
        stageThreshold: int = 0,
        totalThreshold: int = 0,
    ) -> "DynamicFrame":
        """The rows for which the Python function `f` is true. It sees each row; a SQL `where` is far faster."""
        keep = _predicate(f)
        rows = self._jdf.rdd.filter(keep)
        return self._with(self._jdf.sparkSession.createDataFrame(rows, self._jdf.schema))

    def map(
        self,
        f: Callable[[dict[str, Any]], dict[str, Any]],
        preservesPartitioning: bool = False,
        transformation_ctx: str = "",
        info: str = "",
        stageThreshold: int = 0,
        totalThreshold: int = 0,
    ) -> "DynamicFrame":
        """Each row, a dict, through the Python function `f`; the schema is inferred from all results."""
        spark = self._jdf.sparkSession
        rows = self._jdf.rdd.map(lambda row: f(row.asDict(recursive=True)))
        return self._with(spark.createDataFrame(rows, samplingRatio=1.0))

    def mapPartitions(
        self,
        f: Callable[[Iterable[Any]], Iterable[Any]],
        preservesPartitioning: bool = True,
        transformation_ctx: str = "",
        info: str = "",
        stageThreshold: int = 0,
        totalThreshold: int = 0,
    ) -> "DynamicFrame":
        """Not implemented."""
        raise NotImplementedError("DynamicFrame.mapPartitions")

    def mapPartitionsWithIndex(
        self,
        f: Callable[[int, Iterable[Any]], Iterable[Any]],
        preservesPartitioning: bool = False,
        transformation_ctx: str = "",
        info: str = "",
        stageThreshold: int = 0,
        totalThreshold: int = 0,
    ) -> "DynamicFrame":
        """Not implemented."""
        raise NotImplementedError("DynamicFrame.mapPartitionsWithIndex")

    def drop_fields(
        self,
        paths: list[str] | str,
        transformation_ctx: str = "",
        info: str = "",
        stageThreshold: int = 0,
        totalThreshold: int = 0,
    ) -> "DynamicFrame":
        """All fields but `paths`; a path that is not there is passed over."""
        frame = self._jdf
        for path in _list(paths):
            top, *below = _parts(path)
            if top not in frame.columns:
                continue
            if not below:
                frame = frame.drop(top)
            elif (top, *below) in _paths_of(frame.schema):
                frame = frame.withColumn(top, F.col(_quoted(top)).dropFields(_quoted(*below)))
        return self._with(frame)

    def select_fields(
        self,
        paths: list[str] | str,
        transformation_ctx: str = "",
        info: str = "",
        stageThreshold: int = 0,
        totalThreshold: int = 0,
    ) -> "DynamicFrame":
        """The fields `paths` alone, in that order; a path that is not there is passed over.

        Of a struct, those of its fields that `paths` name.
        """
        known = set(_paths_of(self._jdf.schema))
        wanted = [path for path in map(_parts, _list(paths)) if tuple(path) in known]
        return self._with(self._jdf.select(*_columns([(path, F.col(_quoted(*path))) for path in wanted])))

    def split_fields(
        self,
        paths: list[str] | str,
        name1: str,
        name2: str,
        transformation_ctx: str = "",
        info: str = "",
        stageThreshold: int = 0,
        totalThreshold: int = 0,
    ) -> "DynamicFrameCollection":
        """Two frames: one with the fields `paths`, one with the others."""
        chosen, rest = self.select_fields(paths), self.drop_fields(paths)
        frames = {name1: self._with(chosen._jdf, name1), name2: self._with(rest._jdf, name2)}
        return DynamicFrameCollection(frames, self.glue_ctx)

    def split_rows(
        self,
        comparison_dict: dict[str, dict[str, Any]],
        name1: str,
        name2: str,
        transformation_ctx: str = "",
        info: str = "",
        stageThreshold: int = 0,
        totalThreshold: int = 0,
    ) -> "DynamicFrameCollection":
        """Two frames: the rows that meet all comparisons, and all others. `{"age": {">": 10, "<": 20}}`"""
        tests = [
            COMPARATORS[sign](F.col(_quoted(*_parts(path))), value)
            for path, comparisons in comparison_dict.items()
            for sign, value in comparisons.items()
        ]
        met = F.coalesce(reduce(lambda left, right: left & right, tests), F.lit(False))
        frames = {name1: self._with(self._jdf.where(met), name1), name2: self._with(self._jdf.where(~met), name2)}
        return DynamicFrameCollection(frames, self.glue_ctx)

    def rename_field(
        self,
        oldName: str,
        newName: str,
        transformation_ctx: str = "",
        info: str = "",
        stageThreshold: int = 0,
        totalThreshold: int = 0,
    ) -> "DynamicFrame":
        """The frame with one field renamed; a field of a struct stays in its struct. One not there is passed over."""
        old, new = _parts(oldName), _parts(newName)
        if tuple(old) not in _paths_of(self._jdf.schema):
            return self
        if old[:-1] != new[:-1]:
            raise NotImplementedError(f"DynamicFrame.rename_field from {oldName} to another struct, {newName}")
        return self._with(self._jdf.select(*_renamed(self._jdf.schema, [], old, new[-1])))

    def write(
        self,
        connection_type: str,
        connection_options: dict[str, Any] = {},
        format: str | None = None,
        format_options: dict[str, Any] = {},
        accumulator_size: int = 0,
    ) -> "DynamicFrame | DynamicFrameCollection":
        """Write the frame; see `GlueContext.write_dynamic_frame_from_options`."""
        return self.glue_ctx.write_from_options(self, connection_type, connection_options, format, format_options)

    def spigot(
        self,
        path: str,
        options: dict[str, Any] = {},
        transformation_ctx: str = "",
        info: str = "",
        stageThreshold: int = 0,
        totalThreshold: int = 0,
    ) -> "DynamicFrame":
        """Not implemented."""
        raise NotImplementedError("DynamicFrame.spigot")

    def join(
        self,
        paths1: list[str] | str,
        paths2: list[str] | str,
        frame2: "DynamicFrame",
        transformation_ctx: str = "",
        info: str = "",
        stageThreshold: int = 0,
        totalThreshold: int = 0,
    ) -> "DynamicFrame":
        """Inner join on equal keys. A field of `frame2` whose name is taken gets a leading dot, as on AWS."""
        left = self._jdf
        taken = {name.lower() for name in left.columns}
        renamed = {name: f".{name}" if name.lower() in taken else name for name in frame2._jdf.columns}
        right = frame2._jdf.toDF(*renamed.values())
        pairs = zip(map(_parts, _list(paths1)), map(_parts, _list(paths2)), strict=True)
        equal = [left[_quoted(*one)] == right[_quoted(renamed[two[0]], *two[1:])] for one, two in pairs]
        return self._with(left.join(right, equal, "inner"), self.name + frame2.name)

    def unnest(
        self, transformation_ctx: str = "", info: str = "", stageThreshold: int = 0, totalThreshold: int = 0
    ) -> "DynamicFrame":
        """Not implemented."""
        raise NotImplementedError("DynamicFrame.unnest")

    def relationalize(
        self,
        root_table_name: str,
        staging_path: str,
        options: dict[str, Any] = {},
        transformation_ctx: str = "",
        info: str = "",
        stageThreshold: int = 0,
        totalThreshold: int = 0,
    ) -> "DynamicFrameCollection":
        """Not implemented."""
        raise NotImplementedError("DynamicFrame.relationalize")

    def unbox(
        self,
        path: str,
        format: str,
        transformation_ctx: str = "",
        info: str = "",
        stageThreshold: int = 0,
        totalThreshold: int = 0,
        **options: Any,
    ) -> "DynamicFrame":
        """Not implemented."""
        raise NotImplementedError("DynamicFrame.unbox")

    def applyMapping(self, *args: Any, **kwargs: Any) -> "DynamicFrame":
        """`apply_mapping` by its older name."""
        return self.apply_mapping(*args, **kwargs)

    def apply_mapping(
        self,
        mappings: list[tuple[str, ...]],
        case_sensitive: bool = False,
        transformation_ctx: str = "",
        info: str = "",
        stageThreshold: int = 0,
        totalThreshold: int = 0,
    ) -> "DynamicFrame":
        """Select, rename and cast: `(source, source type, target, target type)`, in the order of the mappings.

        A source that is not there is passed over; a value that does not become the target type is NULL. Targets with a
        dot become the fields of a struct.
        """

        def folded(path: list[str] | tuple[str, ...]) -> tuple[str, ...]:
            return tuple(path) if case_sensitive else tuple(name.lower() for name in path)

        known = {folded(path): path for path in _paths_of(self._jdf.schema)}
        columns: list[tuple[list[str], Column]] = []
        for source, target, kind in map(_mapping, _list(mappings)):
            if path := known.get(folded(_parts(source))):
                column = F.col(_quoted(*path))
                whole = kind is None or kind.lower() in NOT_CAST
                columns.append((_parts(target), column if whole else column.cast(spark_type(kind or ""))))
        return self._with(self._jdf.select(*_columns(columns)))

    def unnest_ddb_json(
        self, transformation_ctx: str = "", info: str = "", stageThreshold: int = 0, totalThreshold: int = 0
    ) -> "DynamicFrame":
        """Not implemented."""
        raise NotImplementedError("DynamicFrame.unnest_ddb_json")

    def simplify_ddb_json(self) -> "DynamicFrame":
        """Not implemented."""
        raise NotImplementedError("DynamicFrame.simplify_ddb_json")

    def resolveChoice(
        self,
        specs: list[tuple[str, str]] | None = None,
        choice: str = "",
        database: str | None = None,
        table_name: str | None = None,
        transformation_ctx: str = "",
        info: str = "",
        stageThreshold: int = 0,
        totalThreshold: int = 0,
        catalog_id: str | None = None,
    ) -> "DynamicFrame":
        """Apply `cast:<type>` and `project:<type>` specs; a value that does not become the type is NULL."""
        if specs is None or choice:
            raise NotImplementedError("DynamicFrame.resolveChoice without specs")
        frame = self._jdf
        for path, action in _list(specs):
            verb, _, kind = action.partition(":")
            if verb not in ("cast", "project"):
                raise NotImplementedError(f"DynamicFrame.resolveChoice with {action!r}")
            frame = frame.withColumn(path, F.col(_quoted(path)).cast(spark_type(kind)))
        return self._with(frame)

    def mergeDynamicFrame(
        self,
        stage_dynamic_frame: "DynamicFrame",
        primary_keys: list[str] | str,
        transformation_ctx: str = "",
        options: dict[str, Any] = {},
        info: str = "",
        stageThreshold: int = 0,
        totalThreshold: int = 0,
    ) -> "DynamicFrame":
        """All rows of the stage frame, and those of this frame whose keys are not in it."""
        stage = stage_dynamic_frame._jdf
        kept = self._jdf.join(stage, _list(primary_keys), "left_anti")
        return self._with(kept.unionByName(stage, allowMissingColumns=True))

    def union(
        self,
        other_frame: "DynamicFrame",
        transformation_ctx: str = "",
        info: str = "",
        stageThreshold: int = 0,
        totalThreshold: int = 0,
    ) -> "DynamicFrame":
        """All rows of both frames, fields matched by name."""
        return self._with(self._jdf.unionByName(other_frame._jdf, allowMissingColumns=True))

    def getNumPartitions(self) -> int:
        """How many partitions the frame has."""
        return self._jdf.rdd.getNumPartitions()

    def repartition(
        self,
        num_partitions: int,
        transformation_ctx: str = "",
        info: str = "",
        stageThreshold: int = 0,
        totalThreshold: int = 0,
    ) -> "DynamicFrame":
        """The frame in so many partitions, shuffled."""
        return self._with(self._jdf.repartition(num_partitions))

    def coalesce(
        self,
        num_partitions: int,
        shuffle: bool = False,
        transformation_ctx: str = "",
        info: str = "",
        stageThreshold: int = 0,
        totalThreshold: int = 0,
    ) -> "DynamicFrame":
        """The frame in fewer partitions."""
        return self._with(self._jdf.repartition(num_partitions) if shuffle else self._jdf.coalesce(num_partitions))

    def errorsAsDynamicFrame(self) -> "DynamicFrame":
        """Not implemented: local frames keep no error records."""
        raise NotImplementedError("DynamicFrame.errorsAsDynamicFrame")

    def errorsCount(self) -> int:
        """0: local frames keep no error records; an error fails the job."""
        return 0

    def stageErrorsCount(self) -> int:
        """0: local frames keep no error records; an error fails the job."""
        return 0

    def assertErrorThreshold(self) -> None:
        """Passes: an error has failed the job already."""


class DynamicFrameCollection:
    """Named frames."""

    def __init__(self, dynamic_frames: dict[str, DynamicFrame] | list[DynamicFrame], glue_ctx: Any) -> None:
        if isinstance(dynamic_frames, list):
            dynamic_frames = {frame.name: frame for frame in dynamic_frames}
        if not isinstance(dynamic_frames, dict):
            raise TypeError("dynamic_frames must be list or dict.")
        self._frames = dynamic_frames
        self._glue_ctx = glue_ctx

    def __getitem__(self, key: str) -> DynamicFrame:
        return self._frames[key]

    def __len__(self) -> int:
        return len(self._frames)

    def keys(self) -> Iterable[str]:
        """The frames' names."""
        return self._frames.keys()

    def values(self) -> Iterable[DynamicFrame]:
        """The frames."""
        return self._frames.values()

    def select(self, key: str, transformation_ctx: str = "") -> DynamicFrame:
        """The frame of that name.

        Glue gives an empty frame for an unknown name, which hides a typing error; here it is a KeyError.
        """
        if key not in self._frames:
            raise KeyError(f"no frame {key!r} in the collection of {sorted(self._frames)}")
        return self._frames[key]

    def map(self, callable: Callable[[DynamicFrame, str], DynamicFrame], transformation_ctx: str = "") -> Any:
        """Each frame through `callable(frame, transformation_ctx)`."""
        mapped = {name: callable(frame, f"{transformation_ctx}:{name}") for name, frame in self._frames.items()}
        return DynamicFrameCollection(mapped, self._glue_ctx)

    def flatmap(self, f: Callable[[DynamicFrame, str], Any], transformation_ctx: str = "") -> Any:
        """Each frame through `f`, which gives a frame or a collection; all results in one collection."""
        results: dict[str, DynamicFrame] = {}
        for frame in self._frames.values():
            result = f(frame, f"{transformation_ctx}:{frame.name}")
            results.update({result.name: result} if isinstance(result, DynamicFrame) else result._frames)
        return DynamicFrameCollection(results, self._glue_ctx)


class DynamicFrameReader:
    """`glueContext.create_dynamic_frame`"""

    def __init__(self, glue_context: Any) -> None:
        self._glue_context = glue_context

    def from_rdd(self, data: Any, name: str, schema: Any = None, sampleRatio: float | None = None) -> DynamicFrame:
        """A frame of an RDD's rows."""
        return self._glue_context.create_dynamic_frame_from_rdd(data, name, schema, sampleRatio)

    def from_options(
        self,
        connection_type: str,
        connection_options: dict[str, Any] = {},
        format: str | None = None,
        format_options: dict[str, Any] = {},
        transformation_ctx: str = "",
        push_down_predicate: str = "",
        **kwargs: Any,
    ) -> DynamicFrame:
        """A frame of files; see `GlueContext.create_dynamic_frame_from_options`."""
        return self._glue_context.create_dynamic_frame_from_options(
            connection_type,
            connection_options,
            format,
            format_options,
            transformation_ctx,
            push_down_predicate,
            **kwargs,
        )

    def from_catalog(
        self,
        database: str | None = None,
        table_name: str | None = None,
        redshift_tmp_dir: str = "",
        transformation_ctx: str = "",
        push_down_predicate: str = "",
        additional_options: dict[str, Any] = {},
        catalog_id: str | None = None,
        **kwargs: Any,
    ) -> DynamicFrame:
        """A frame of a catalog table; see `GlueContext.create_dynamic_frame_from_catalog`."""
        return self._glue_context.create_dynamic_frame_from_catalog(
            database,
            table_name,
            redshift_tmp_dir,
            transformation_ctx,
            push_down_predicate,
            additional_options,
            catalog_id,
            **kwargs,
        )


class DynamicFrameWriter:
    """`glueContext.write_dynamic_frame`"""

    def __init__(self, glue_context: Any) -> None:
        self._glue_context = glue_context

    def from_options(
        self,
        frame: Any,
        connection_type: str,
        connection_options: dict[str, Any] = {},
        format: str | None = None,
        format_options: dict[str, Any] = {},
        transformation_ctx: str = "",
    ) -> Any:
        """Write a frame; see `GlueContext.write_dynamic_frame_from_options`."""
        return self._glue_context.write_dynamic_frame_from_options(
            frame, connection_type, connection_options, format, format_options, transformation_ctx
        )

    def from_catalog(
        self,
        frame: Any,
        database: str | None = None,
        table_name: str | None = None,
        redshift_tmp_dir: str = "",
        transformation_ctx: str = "",
        additional_options: dict[str, Any] = {},
        catalog_id: str | None = None,
        **kwargs: Any,
    ) -> Any:
        """Write to where a catalog table lies; see `GlueContext.write_dynamic_frame_from_catalog`."""
        return self._glue_context.write_dynamic_frame_from_catalog(
            frame, database, table_name, redshift_tmp_dir, transformation_ctx, additional_options, catalog_id, **kwargs
        )

    def from_jdbc_conf(
        self,
        frame: Any,
        catalog_connection: str,
        connection_options: dict[str, Any] = {},
        redshift_tmp_dir: str = "",
        transformation_ctx: str = "",
    ) -> Any:
        """Not implemented."""
        return self._glue_context.write_dynamic_frame_from_jdbc_conf(
            frame, catalog_connection, connection_options, redshift_tmp_dir, transformation_ctx
        )


def spark_type(kind: str) -> str:
    """Spark's name of a type that Glue names, `long` for instance."""
    return GLUE_TYPES.get(kind.lower(), kind)


def null_fields(schema: DataType, path: str = "") -> list[str]:
    """Paths of fields that have no type because no row has a value there."""
    if isinstance(schema, ArrayType):
        return null_fields(schema.elementType, path) if isinstance(schema.elementType, StructType) else []
    if not isinstance(schema, StructType):
        return [path] if isinstance(schema, NullType) else []
    prefix = f"{path}." if path else ""
    return [found for field in schema for found in null_fields(field.dataType, f"{prefix}`{field.name}`")]


def _predicate(f: Callable[[Any], Any]) -> Callable[[Any], bool]:
    def keep(row: Any) -> bool:
        # As in Glue, a row that has no such field, or no such value, does not pass.
        try:
            return bool(f(row))
        except (KeyError, ValueError, TypeError):
            return False

    return keep


def _mapping(mapping: tuple[str, ...]) -> tuple[str, str, str | None]:
    """Source, target and target type of a mapping of two, three or four parts."""
    if len(mapping) == 4:
        return mapping[0], mapping[2], mapping[3]
    if len(mapping) == 3:
        return mapping[0], mapping[1], mapping[2]
    if len(mapping) == 2:
        return mapping[0], mapping[1], None
    raise ValueError(f"a mapping has 2, 3 or 4 parts, not {mapping!r}")


def _parts(path: str) -> list[str]:
    """The names in a path: dots separate them, backticks keep a dot in a name."""
    return [quoted or plain for quoted, plain in re.findall(r"`([^`]*)`|([^.`]+)", path)]


def _quoted(*names: str) -> str:
    return ".".join("`" + name.replace("`", "``") + "`" for name in names)


def _paths_of(schema: StructType, above: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """The paths of all fields, those within structs after their struct."""
    paths: list[tuple[str, ...]] = []
    for field in schema:
        paths.append((*above, field.name))
        if isinstance(field.dataType, StructType):
            paths.extend(_paths_of(field.dataType, (*above, field.name)))
    return paths


def _columns(paths: list[tuple[list[str], Column]]) -> list[Column]:
    """Columns of these paths: those that begin alike become one struct, where the first of them stands."""
    grouped: dict[str, list[tuple[list[str], Column]]] = {}
    for path, column in paths:
        grouped.setdefault(path[0], []).append((path[1:], column))
    columns = []
    for name, below in grouped.items():
        path, column = below[-1]  # of a target that is given twice, the last, as in Glue
        columns.append((F.struct(*_columns([item for item in below if item[0]])) if path else column).alias(name))
    return columns


def _renamed(schema: StructType, above: list[str], old: list[str], new: str) -> list[Column]:
    """The fields of a frame or of the struct at `above`, with the one at `old` renamed."""
    columns = []
    for field in schema:
        path = [*above, field.name]
        column = F.col(_quoted(*path))
        if path == old:
            columns.append(column.alias(new))
        elif path == old[: len(path)] and isinstance(field.dataType, StructType):
            inside = F.struct(*_renamed(field.dataType, path, old, new))
            columns.append(F.when(column.isNotNull(), inside).alias(field.name))
        else:
            columns.append(column)
    return columns


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | set) else [value]
