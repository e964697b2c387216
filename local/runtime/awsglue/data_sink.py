"""`DataSink`: where a job writes, and the catalog table that it keeps current."""

import re
from dataclasses import dataclass
from typing import Any

import boto3
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import NullType, StructField
from s3_objects import true

from awsglue.dynamicframe import DynamicFrame, DynamicFrameCollection

HIVE = "org.apache.hadoop.hive.ql.io."
TEXT = ("org.apache.hadoop.mapred.TextInputFormat", HIVE + "HiveIgnoreKeyTextOutputFormat")
# Input format, output format and SerDe of a catalog table, by classification.
STORAGE = {
    "parquet": (
        HIVE + "parquet.MapredParquetInputFormat",
        HIVE + "parquet.MapredParquetOutputFormat",
        HIVE + "parquet.serde.ParquetHiveSerDe",
    ),
    "json": (*TEXT, "org.openx.data.jsonserde.JsonSerDe"),
    "csv": (*TEXT, "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"),
    "orc": (HIVE + "orc.OrcInputFormat", HIVE + "orc.OrcOutputFormat", HIVE + "orc.OrcSerde"),
}

HIVE_NULL = "__HIVE_DEFAULT_PARTITION__"
S3_OPTIONS = {"compression", "enableUpdateCatalog", "partitionKeys", "path", "transformation_ctx", "updateBehavior"}
CATALOG_OPTIONS = {"enableUpdateCatalog", "partitionKeys", "updateBehavior"}
FORMAT_OPTIONS = {
    "csv": {"compression", "escaper", "quoteChar", "separator", "writeHeader"},
    "json": {"compression"},
    "orc": {"compression"},
    # Sizes of blocks and pages are of no effect here.
    "parquet": {"blockSize", "compression", "pageSize", "useGlueParquetWriter"},
}


class DataSink:
    """A target in S3. `j_sink` holds its connection type and options."""

    def __init__(self, j_sink: dict[str, Any], sql_ctx: Any) -> None:
        self._options = j_sink
        self._context = sql_ctx
        self._format: tuple[str, dict[str, Any]] | None = None
        self._catalog: tuple[str, str] | None = None

    def setFormat(self, format: str, **options: Any) -> None:
        """The format of the files: parquet, glueparquet, json, csv or orc."""
        self._format = (format, options)

    def setAccumulableSize(self, size: int) -> None:
        """Of no effect here."""

    def setCatalogInfo(self, catalogDatabase: str, catalogTableName: str, catalogId: str = "") -> None:
        """The catalog table that `enableUpdateCatalog` creates or updates."""
        self._catalog = (catalogDatabase, catalogTableName)

    def writeFrame(self, dynamic_frame: DynamicFrame, info: str = "") -> DynamicFrame:
        """Append the frame's rows, then update the catalog if so told."""
        self.writeDataFrame(dynamic_frame.toDF(), self._context, info)
        return dynamic_frame

    def writeDataFrame(self, data_frame: DataFrame, glue_context: Any, info: str = "") -> DataFrame:
        """Append the rows of a DataFrame, then update the catalog if so told."""
        if self._format is None:
            raise ValueError("DataSink: setFormat was not called")
        name, options = self._format
        write_files(data_frame, self._options, name, options)
        if true(self._options.get("enableUpdateCatalog")):
            if self._catalog is None:
                raise ValueError("DataSink: enableUpdateCatalog needs setCatalogInfo")
            target = _Target(*self._catalog, spark_format(name), options, self._options["path"])
            target.update(data_frame, self._options)
        return data_frame

    def write(
        self, dynamic_frame_or_dfc: DynamicFrame | DynamicFrameCollection, info: str = ""
    ) -> DynamicFrame | DynamicFrameCollection:
        """Write one frame, or each of a collection."""
        if isinstance(dynamic_frame_or_dfc, DynamicFrame):
            return self.writeFrame(dynamic_frame_or_dfc, info)
        frames = [self.writeFrame(frame, info) for frame in dynamic_frame_or_dfc.values()]
        return DynamicFrameCollection(frames, self._context)


@dataclass(frozen=True)
class _Target:
    """A table that a sink keeps current. https://docs.aws.amazon.com/glue/latest/dg/update-from-job.html"""

    database: str
    table: str
    format: str
    format_options: dict[str, Any]
    path: str

    def update(self, frame: DataFrame, options: dict[str, Any]) -> None:
        """Create the table, or add the columns and partitions that it lacks; with behaviour LOG, partitions alone."""
        glue = boto3.client("glue")
        frame = _with_types(frame)
        keys = partition_keys(options)
        given = _table_input(self, frame, keys)
        try:
            known = glue.get_table(DatabaseName=self.database, Name=self.table)["Table"]
        except glue.exceptions.EntityNotFoundException:
            glue.create_table(DatabaseName=self.database, TableInput=given)
        else:
            given = _widened(known, given)
            if options.get("updateBehavior", "UPDATE_IN_DATABASE") == "UPDATE_IN_DATABASE":
                glue.update_table(DatabaseName=self.database, TableInput=given)
        if keys:
            self._add_partitions(glue, frame, given, keys)

    def _add_partitions(self, glue: Any, frame: DataFrame, table: dict[str, Any], keys: list[str]) -> None:
        storage = table["StorageDescriptor"]
        columns = [F.col(f"`{key}`").cast("string") for key in keys]
        for row in frame.select(*columns).distinct().collect():
            values = [HIVE_NULL if value in (None, "") else value for value in row]
            path = "/".join(f"{key}={_escaped(value)}" for key, value in zip(keys, values, strict=True))
            location = f"{storage['Location'].rstrip('/')}/{path}/"
            part = {"Values": values, "StorageDescriptor": {**storage, "Location": location}}
            try:
                glue.create_partition(DatabaseName=self.database, TableName=self.table, PartitionInput=part)
            except glue.exceptions.AlreadyExistsException:
                continue


def write_table(frame: DataFrame, database: str, table: str, options: dict[str, Any]) -> None:
    """Append rows where a catalog table lies, in its format, and update the catalog if `enableUpdateCatalog` says so.

    Without that, the partitions that rows are written into are not known to the catalog, as on AWS.
    Raises NotImplementedError for an unknown option.
    """
    if unknown := sorted(set(options) - CATALOG_OPTIONS):
        raise NotImplementedError(f"catalog target: additional option {', '.join(unknown)}")
    known = boto3.client("glue").get_table(DatabaseName=database, Name=table)["Table"]
    path = known["StorageDescriptor"]["Location"]
    keys = options.get("partitionKeys") or [key["Name"] for key in known.get("PartitionKeys", [])]
    name, format_options = _form(known)
    write_files(frame, {"path": path, "partitionKeys": keys}, name, format_options)
    if true(options.get("enableUpdateCatalog")):
        target = _Target(database, table, spark_format(name), format_options, path)
        target.update(frame, {**options, "partitionKeys": keys})


def _form(table: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The format of a table's files, and how its reader takes CSV."""
    storage = table["StorageDescriptor"]
    found = {**storage.get("SerdeInfo", {}).get("Parameters", {}), **table.get("Parameters", {})}
    form: dict[str, Any] = {"writeHeader": found.get("skip.header.line.count", "0") != "0"}
    if separator := found.get("separatorChar") or found.get("field.delim") or found.get("delimiter"):
        form["separator"] = separator
    name = found.get("classification", "")
    return name, form if name == "csv" else {}


def spark_format(name: str) -> str:
    """Spark's format for one of Glue's. Raises NotImplementedError for others."""
    known = {"parquet": "parquet", "glueparquet": "parquet", "json": "json", "csv": "csv", "orc": "orc"}
    if name not in known:
        raise NotImplementedError(f"format {name!r}: the local cloud has {', '.join(sorted(known))}")
    return known[name]


def partition_keys(options: dict[str, Any]) -> list[str]:
    """The `partitionKeys` of a target's options."""
    return list(options.get("partitionKeys") or [])


def write_files(frame: DataFrame, options: dict[str, Any], format: str, format_options: dict[str, Any]) -> None:
    """Append the rows as files under `options["path"]`: Glue's S3 targets never replace what is there.

    A frame without columns gives no file. Raises NotImplementedError for an unknown option.
    """
    kind = spark_format(format)
    for given, known in ((options, S3_OPTIONS), (format_options, FORMAT_OPTIONS[kind])):
        if unknown := sorted(set(given) - known):
            raise NotImplementedError(f"S3 target: option {', '.join(unknown)} of format {format}")
    frame = _with_types(frame)
    if not frame.columns:
        return
    writer = frame.write.mode("append").format(kind).options(**_writer_options(kind, format_options))
    compression = options.get("compression") or format_options.get("compression")
    if compression:
        writer = writer.option("compression", "none" if compression == "uncompressed" else compression)
    if keys := partition_keys(options):
        writer = writer.partitionBy(*keys)
    writer.save(options["path"])


def _with_types(frame: DataFrame) -> DataFrame:
    """The frame without columns of which no type is known because no row has a value; no format can hold them."""
    untyped = [field.name for field in frame.schema if isinstance(field.dataType, NullType)]
    return frame.drop(*untyped)


def _writer_options(kind: str, given: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-format-csv-home.html"""
    if kind != "csv":
        return {}
    quote = given.get("quoteChar", '"')
    return {
        "header": given.get("writeHeader", True),
        "sep": given.get("separator", ","),
        "quote": "" if quote in (-1, "-1") else quote,
        "escape": given.get("escaper", '"'),
        "ignoreLeadingWhiteSpace": False,
        "ignoreTrailingWhiteSpace": False,
    }


def _table_input(target: _Target, frame: DataFrame, keys: list[str]) -> dict[str, Any]:
    input_format, output_format, serde = STORAGE[target.format]
    parameters, serde_parameters = {"classification": target.format}, {"serialization.format": "1"}
    if target.format == "csv":
        separator = target.format_options.get("separator", ",")
        serde_parameters = {"field.delim": separator, "serialization.format": separator}
        if true(target.format_options.get("writeHeader", True)):
            parameters["skip.header.line.count"] = "1"
    if target.format == "json":
        # The members of the objects by their own names; those of columns are in lower case.
        serde_parameters["paths"] = ",".join(field.name for field in frame.schema if field.name not in keys)
    by_name = {field.name: field for field in frame.schema}
    return {
        "Name": target.table,
        "TableType": "EXTERNAL_TABLE",
        "Parameters": parameters,
        "PartitionKeys": [_column(by_name[key]) for key in keys],
        "StorageDescriptor": {
            "Columns": [_column(field) for field in frame.schema if field.name not in keys],
            "Location": target.path,
            "InputFormat": input_format,
            "OutputFormat": output_format,
            "SerdeInfo": {"SerializationLibrary": serde, "Parameters": serde_parameters},
        },
    }


def _column(field: StructField) -> dict[str, str]:
    return {"Name": field.name.lower(), "Type": field.dataType.simpleString()}


def _widened(known: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """The known table with the columns that it lacks: Glue only ever adds to a table that a sink updates."""
    storage = known["StorageDescriptor"]
    names = {column["Name"] for column in storage["Columns"]}
    new = [column for column in given["StorageDescriptor"]["Columns"] if column["Name"] not in names]
    kept = {name: known[name] for name in ("Name", "Description", "TableType", "PartitionKeys") if name in known}
    return {
        **kept,
        "Parameters": {**given["Parameters"], **known.get("Parameters", {})},
        "StorageDescriptor": {**storage, "Columns": storage["Columns"] + new},
    }


def _escaped(value: str) -> str:
    """A partition's value as Spark and Hive write it into a path."""
    return re.sub(r'[\x00-\x1f"#%\'*/:=?\\\x7f{\[\]^]', lambda found: f"%{ord(found[0]):02X}", value)
