"""`DataSink`: where a job writes, and the catalog table that it keeps current."""

from typing import Any

import boto3
from pyspark.sql import DataFrame
from pyspark.sql.types import StructField

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
        if str(self._options.get("enableUpdateCatalog", "")).lower() == "true":
            self._update_catalog(data_frame, spark_format(name))
        return data_frame

    def write(
        self, dynamic_frame_or_dfc: DynamicFrame | DynamicFrameCollection, info: str = ""
    ) -> DynamicFrame | DynamicFrameCollection:
        """Write one frame, or each of a collection."""
        if isinstance(dynamic_frame_or_dfc, DynamicFrame):
            return self.writeFrame(dynamic_frame_or_dfc, info)
        frames = [self.writeFrame(frame, info) for frame in dynamic_frame_or_dfc.values()]
        return DynamicFrameCollection(frames, self._context)

    def _update_catalog(self, frame: DataFrame, format: str) -> None:
        if self._catalog is None:
            raise ValueError("DataSink: enableUpdateCatalog needs setCatalogInfo")
        database, table = self._catalog
        glue = boto3.client("glue")
        keys = partition_keys(self._options)
        given = _table_input(table, frame, format, self._options["path"], keys)
        try:
            known = glue.get_table(DatabaseName=database, Name=table)["Table"]
        except glue.exceptions.EntityNotFoundException:
            glue.create_table(DatabaseName=database, TableInput=given)
        else:
            if self._options.get("updateBehavior", "UPDATE_IN_DATABASE") == "UPDATE_IN_DATABASE":
                _add_missing_columns(given, known)
                glue.update_table(DatabaseName=database, TableInput=given)
        if keys:
            self._add_partitions(glue, frame, given, keys)

    def _add_partitions(self, glue: Any, frame: DataFrame, table: dict[str, Any], keys: list[str]) -> None:
        database, name = self._catalog or ("", "")
        storage = table["StorageDescriptor"]
        for row in frame.select(*(frame[f"`{key}`"].cast("string") for key in keys)).distinct().collect():
            values = ["__HIVE_DEFAULT_PARTITION__" if value is None else value for value in row]
            path = "/".join(f"{key}={value}" for key, value in zip(keys, values, strict=True))
            location = f"{storage['Location'].rstrip('/')}/{path}/"
            part = {"Values": values, "StorageDescriptor": {**storage, "Location": location}}
            try:
                glue.create_partition(DatabaseName=database, TableName=name, PartitionInput=part)
            except glue.exceptions.AlreadyExistsException:
                continue


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
    """Append the rows as files under `options["path"]`: Glue's S3 targets never replace what is there."""
    kind = spark_format(format)
    writer = frame.write.mode("append").format(kind).options(**_writer_options(kind, format_options))
    compression = options.get("compression") or format_options.get("compression")
    if compression:
        writer = writer.option("compression", compression)
    if keys := partition_keys(options):
        writer = writer.partitionBy(*keys)
    writer.save(options["path"])


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
    }


def _table_input(table: str, frame: DataFrame, format: str, path: str, keys: list[str]) -> dict[str, Any]:
    input_format, output_format, serde = STORAGE[format]
    return {
        "Name": table,
        "TableType": "EXTERNAL_TABLE",
        "Parameters": {"classification": format},
        "PartitionKeys": [_column(field) for field in frame.schema if field.name in keys],
        "StorageDescriptor": {
            "Columns": [_column(field) for field in frame.schema if field.name not in keys],
            "Location": path,
            "InputFormat": input_format,
            "OutputFormat": output_format,
            "SerdeInfo": {"SerializationLibrary": serde, "Parameters": {"serialization.format": "1"}},
        },
    }


def _column(field: StructField) -> dict[str, str]:
    return {"Name": field.name.lower(), "Type": field.dataType.simpleString()}


def _add_missing_columns(given: dict[str, Any], known: dict[str, Any]) -> None:
    """Glue only ever adds columns to a table that a sink updates."""
    columns = given["StorageDescriptor"]["Columns"]
    old = known["StorageDescriptor"]["Columns"]
    names = {column["Name"] for column in old}
    given["StorageDescriptor"]["Columns"] = old + [column for column in columns if column["Name"] not in names]
    given["Parameters"] = {**known.get("Parameters", {}), **given["Parameters"]}
