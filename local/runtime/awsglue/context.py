"""`GlueContext` over a Spark session: sources and targets of a job.

https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-crawler-pyspark-extensions-glue-context.html
"""

# ruff: noqa: B006 - names and defaults are those of awsglue.

import logging
import time
from typing import Any
from urllib.parse import urlsplit

import boto3
from catalog import read_table
from pyspark.context import SparkContext
from pyspark.sql import DataFrame, SparkSession, SQLContext
from pyspark.sql.types import StructType
from redshift_target import write_redshift
from s3_source import read_files

from awsglue.data_sink import DataSink, spark_format, write_files, write_table
from awsglue.dynamicframe import (
    DynamicFrame,
    DynamicFrameCollection,
    DynamicFrameReader,
    DynamicFrameWriter,
)


class GlueContext(SQLContext):
    """The entry point of a job; reads the catalog through the Glue API, files and tables through Spark."""

    def __init__(self, sparkContext: SparkContext | SparkSession | None = None, **options: Any) -> None:
        given = sparkContext or SparkContext.getOrCreate()
        session = given if isinstance(given, SparkSession) else SparkSession(given)
        super().__init__(session.sparkContext, session)
        self.spark_session = session
        self.create_dynamic_frame = DynamicFrameReader(self)
        self.write_dynamic_frame = DynamicFrameWriter(self)

    def get_logger(self) -> logging.Logger:
        """The job's logger; it writes to the run's error stream."""
        return logging.getLogger("glue")

    def currentTimeMillis(self) -> int:
        """Milliseconds since 1970."""
        return round(time.time() * 1000)

    def getSource(
        self,
        connection_type: str,
        format: str | None = None,
        transformation_ctx: str = "",
        push_down_predicate: str = "",
        **options: Any,
    ) -> Any:
        """Not implemented; use `create_dynamic_frame.from_options`."""
        raise NotImplementedError("GlueContext.getSource")

    def getStreamingSource(
        self,
        connection_type: str,
        format: str | None = None,
        transformation_ctx: str = "",
        push_down_predicate: str = "",
        **options: Any,
    ) -> Any:
        """Not implemented."""
        raise NotImplementedError("GlueContext.getStreamingSource")

    def getSink(
        self, connection_type: str, format: str | None = None, transformation_ctx: str = "", **options: Any
    ) -> DataSink:
        """A target in S3; see `DataSink`."""
        if connection_type != "s3":
            raise NotImplementedError(f"GlueContext.getSink of connection type {connection_type!r}")
        sink = DataSink(options, self)
        if format:
            sink.setFormat(format)
        return sink

    def get_catalog_schema_as_spark_schema(
        self, database: str | None = None, table_name: str | None = None, catalog_id: str | None = None
    ) -> StructType:
        """The schema of a catalog table, partition columns last."""
        return read_table(self.spark_session, database or "", table_name or "", "false").schema

    def create_dynamic_frame_from_rdd(
        self,
        data: Any,
        name: str,
        schema: Any = None,
        sample_ratio: float | None = None,
        transformation_ctx: str = "",
    ) -> DynamicFrame:
        """A frame of an RDD's rows."""
        return DynamicFrame(self.spark_session.createDataFrame(data, schema, sample_ratio), self, name)

    def create_dynamic_frame_from_catalog(
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
        """A frame of a catalog table; `push_down_predicate` chooses partitions by SQL over the partition columns."""
        frame = self._table(database, table_name, push_down_predicate, additional_options, kwargs)
        return DynamicFrame(frame, self, table_name or "")

    def create_data_frame_from_catalog(
        self,
        database: str | None = None,
        table_name: str | None = None,
        redshift_tmp_dir: str = "",
        transformation_ctx: str = "",
        push_down_predicate: str = "",
        additional_options: dict[str, Any] = {},
        catalog_id: str | None = None,
        **kwargs: Any,
    ) -> DataFrame:
        """As `create_dynamic_frame_from_catalog`, as a DataFrame."""
        return self._table(database, table_name, push_down_predicate, additional_options, kwargs)

    def _table(
        self,
        database: str | None,
        table: str | None,
        predicate: str,
        options: dict[str, Any],
        kwargs: dict[str, Any],
    ) -> DataFrame:
        if unknown := sorted(set(options) - {"boundedFiles", "boundedSize"}):
            raise NotImplementedError(f"GlueContext: additional option {', '.join(unknown)} of a catalog source")
        names = [name for name in (database, kwargs.get("name_space")) if name is not None]
        if len(names) != 1:
            raise ValueError("give one of database and name_space")
        if table is None:
            raise ValueError("Parameter table_name is missing.")
        return read_table(self.spark_session, names[0], table, predicate, options)

    def create_dynamic_frame_from_options(
        self,
        connection_type: str,
        connection_options: dict[str, Any] = {},
        format: str | None = None,
        format_options: dict[str, Any] = {},
        transformation_ctx: str = "",
        push_down_predicate: str = "",
        **kwargs: Any,
    ) -> DynamicFrame:
        """A frame of files in S3: csv, json, parquet, orc. CSV columns are strings, named by the header."""
        frame = self._files(connection_type, connection_options, format, format_options)
        if push_down_predicate:
            frame = frame.where(push_down_predicate)
        return DynamicFrame(frame, self, transformation_ctx)

    def create_data_frame_from_options(
        self,
        connection_type: str,
        connection_options: dict[str, Any] = {},
        format: str | None = None,
        format_options: dict[str, Any] = {},
        transformation_ctx: str = "",
        push_down_predicate: str = "",
        **kwargs: Any,
    ) -> DataFrame:
        """As `create_dynamic_frame_from_options`, as a DataFrame."""
        return self.create_dynamic_frame_from_options(
            connection_type, connection_options, format, format_options, transformation_ctx, push_down_predicate
        ).toDF()

    def _files(
        self, connection_type: str, options: dict[str, Any], format: str | None, format_options: dict[str, Any]
    ) -> DataFrame:
        if connection_type not in ("s3", "file", "parquet", "orc"):
            raise NotImplementedError(f"GlueContext: source of connection type {connection_type!r}")
        kind = connection_type if connection_type in ("parquet", "orc") else spark_format(format or "")
        return read_files(self.spark_session, options, kind, format_options)

    def create_sample_dynamic_frame_from_catalog(
        self,
        database: str | None = None,
        table_name: str | None = None,
        num: int | None = None,
        sample_options: dict[str, Any] = {},
        redshift_tmp_dir: str = "",
        transformation_ctx: str = "",
        push_down_predicate: str = "",
        additional_options: dict[str, Any] = {},
        catalog_id: str | None = None,
        erieTxId: str = "",
        asOfTime: str = "",
        **kwargs: Any,
    ) -> list[Any]:
        """Not implemented."""
        raise NotImplementedError("GlueContext.create_sample_dynamic_frame_from_catalog")

    def create_sample_dynamic_frame_from_options(
        self,
        connection_type: str,
        connection_options: dict[str, Any] = {},
        num: int | None = None,
        sample_options: dict[str, Any] = {},
        format: str | None = None,
        format_options: dict[str, Any] = {},
        transformation_ctx: str = "",
        push_down_predicate: str = "",
        **kwargs: Any,
    ) -> list[Any]:
        """Not implemented."""
        raise NotImplementedError("GlueContext.create_sample_dynamic_frame_from_options")

    def write_dynamic_frame_from_options(
        self,
        frame: DynamicFrame,
        connection_type: str,
        connection_options: dict[str, Any] = {},
        format: str | None = None,
        format_options: dict[str, Any] = {},
        transformation_ctx: str = "",
    ) -> DynamicFrame:
        """Append a frame's rows as files under `connection_options["path"]`, in folders by `partitionKeys` if given.

        With connection type `redshift`, load them into a table; see `redshift_target`.
        """
        if connection_type == "redshift":
            write_redshift(frame.toDF(), connection_options)
        elif connection_type in ("s3", "file"):
            write_files(frame.toDF(), connection_options, format or "", format_options)
        else:
            raise NotImplementedError(f"GlueContext: target of connection type {connection_type!r}")
        return frame

    def write_from_options(
        self,
        frame_or_dfc: DynamicFrame | DynamicFrameCollection,
        connection_type: str,
        connection_options: dict[str, Any] = {},
        format: Any = {},
        format_options: dict[str, Any] = {},
        transformation_ctx: str = "",
        **kwargs: Any,
    ) -> DynamicFrame | DynamicFrameCollection:
        """Write one frame, or each of a collection; see `write_dynamic_frame_from_options`."""
        frames = [frame_or_dfc] if isinstance(frame_or_dfc, DynamicFrame) else list(frame_or_dfc.values())
        for frame in frames:
            self.write_dynamic_frame_from_options(frame, connection_type, connection_options, format, format_options)
        return frame_or_dfc

    def write_dynamic_frame_from_catalog(
        self,
        frame: DynamicFrame,
        database: str | None = None,
        table_name: str | None = None,
        redshift_tmp_dir: str = "",
        transformation_ctx: str = "",
        additional_options: dict[str, Any] = {},
        catalog_id: str | None = None,
        **kwargs: Any,
    ) -> DynamicFrame:
        """Append a frame's rows where a catalog table lies, in the table's format; see `write_table`."""
        if redshift_tmp_dir:
            raise NotImplementedError("GlueContext.write_dynamic_frame_from_catalog to Redshift")
        write_table(frame.toDF(), database or kwargs.get("name_space", ""), table_name or "", additional_options)
        return frame

    def write_data_frame_from_catalog(
        self,
        frame: DataFrame,
        database: str | None = None,
        table_name: str | None = None,
        redshift_tmp_dir: str = "",
        transformation_ctx: str = "",
        additional_options: dict[str, Any] = {},
        catalog_id: str | None = None,
        **kwargs: Any,
    ) -> DataFrame:
        """As `write_dynamic_frame_from_catalog`, of a DataFrame."""
        self.write_dynamic_frame_from_catalog(
            DynamicFrame(frame, self), database, table_name, redshift_tmp_dir, "", additional_options, **kwargs
        )
        return frame

    def write_dynamic_frame_from_jdbc_conf(
        self,
        frame: DynamicFrame,
        catalog_connection: str,
        connection_options: dict[str, Any] = {},
        redshift_tmp_dir: str = "",
        transformation_ctx: str = "",
        catalog_id: str | None = None,
    ) -> DynamicFrame:
        """Not implemented."""
        raise NotImplementedError("GlueContext.write_dynamic_frame_from_jdbc_conf")

    def write_from_jdbc_conf(
        self,
        frame_or_dfc: DynamicFrame | DynamicFrameCollection,
        catalog_connection: str,
        connection_options: dict[str, Any] = {},
        redshift_tmp_dir: str = "",
        transformation_ctx: str = "",
        catalog_id: str | None = None,
    ) -> Any:
        """Not implemented."""
        raise NotImplementedError("GlueContext.write_from_jdbc_conf")

    def extract_jdbc_conf(self, connection_name: str, catalog_id: str | None = None) -> dict[str, Any]:
        """Not implemented."""
        raise NotImplementedError("GlueContext.extract_jdbc_conf")

    def purge_s3_path(self, s3_path: str, options: dict[str, Any] = {}, transformation_ctx: str = "") -> None:
        """Delete what lies under a path, at once: `retentionPeriod` must be 0, else nothing young would go."""
        if float(options.get("retentionPeriod", 168)) != 0:
            raise NotImplementedError("GlueContext.purge_s3_path with a retentionPeriod other than 0 hours")
        where = urlsplit(s3_path)
        s3 = boto3.client("s3")
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=where.netloc, Prefix=where.path.lstrip("/"))
        for page in pages:
            keys = [{"Key": item["Key"]} for item in page.get("Contents", [])]
            if keys:
                s3.delete_objects(Bucket=where.netloc, Delete={"Objects": keys})

    def purge_table(
        self,
        database: str,
        table_name: str,
        options: dict[str, Any] = {},
        transformation_ctx: str = "",
        catalog_id: str | None = None,
    ) -> None:
        """Not implemented."""
        raise NotImplementedError("GlueContext.purge_table")

    def transition_s3_path(
        self, s3_path: str, transition_to: str, options: dict[str, Any] = {}, transformation_ctx: str = ""
    ) -> None:
        """Not implemented."""
        raise NotImplementedError("GlueContext.transition_s3_path")

    def transition_table(
        self,
        database: str,
        table_name: str,
        transition_to: str,
        options: dict[str, Any] = {},
        transformation_ctx: str = "",
        catalog_id: str | None = None,
    ) -> None:
        """Not implemented."""
        raise NotImplementedError("GlueContext.transition_table")

    def forEachBatch(self, frame: DataFrame, batch_function: Any, options: dict[str, Any] = {}) -> None:
        """Not implemented."""
        raise NotImplementedError("GlueContext.forEachBatch")

    def getSampleStreamingDynamicFrame(
        self, frame: DataFrame, options: dict[str, Any] = {}, batch_function: Any = None
    ) -> DynamicFrame:
        """Not implemented."""
        raise NotImplementedError("GlueContext.getSampleStreamingDynamicFrame")

    def add_ingestion_time_columns(self, frame: DataFrame, time_granularity: str) -> DataFrame:
        """Not implemented."""
        raise NotImplementedError("GlueContext.add_ingestion_time_columns")

    def convert_resolve_option(self, path: str, action: str, target: Any) -> Any:
        """Not implemented."""
        raise NotImplementedError("GlueContext.convert_resolve_option")

    def start_transaction(self, read_only: bool) -> str:
        """Not implemented."""
        raise NotImplementedError("GlueContext.start_transaction")

    def commit_transaction(self, transaction_id: str, wait_for_commit: bool = True) -> bool:
        """Not implemented."""
        raise NotImplementedError("GlueContext.commit_transaction")

    def cancel_transaction(self, transaction_id: str) -> None:
        """Not implemented."""
        raise NotImplementedError("GlueContext.cancel_transaction")
