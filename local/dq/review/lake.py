"""Batches in the local cloud, as the workflow puts them before a gate and a job."""

from __future__ import annotations

import inspect
import io
import json
import runpy
import sys
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from pyspark.sql import DataFrame, SparkSession

from local.glue_formats import OPEN_CSV, TEXT_FORMATS, CsvClassifier, FileSchema, inspect_file

DATE = "2024-06-01"
AFTER_LAST = "beyond_last_column"
HEADED = CsvClassifier(",", header="PRESENT", single_column=True, serde=OPEN_CSV)


@dataclass(frozen=True)
class Judged:
    """What a job hands to its row rules."""

    frame: DataFrame
    ruleset: str
    sources: dict[str, DataFrame]
    by_row: bool


class Lake:
    """A bucket and two databases of its own, in the local cloud that AWS_ENDPOINT_URL names."""

    def __init__(self, spark: SparkSession, scripts: Path) -> None:
        name = f"review-{uuid.uuid4().hex[:8]}"
        self._spark, self._scripts = spark, scripts
        self._bucket, self._batch, self._processed = name, f"{name}-batch", f"{name}-processed"
        self._s3, self._glue = boto3.client("s3"), boto3.client("glue")
        self._s3.create_bucket(Bucket=name)
        for database in (self._batch, self._processed):
            self._glue.create_database(DatabaseInput={"Name": database})

    def put_batch(self, dataset: str, files: list[Path]) -> FileSchema:
        """Put files in place as the dataset's batch; gives what a crawler sees in the first.

        The columns of a CSV are texts, with one more for what comes after the last.
        """
        folder = f"raw/{dataset}/ingest_date={DATE}/"
        self._delete(folder)
        for number, file in enumerate(files):
            key = f"{folder}{number}{''.join(file.suffixes)}"
            self._s3.put_object(Bucket=self._bucket, Key=key, Body=file.read_bytes())
        schema = seen_by_crawler(files[0])
        columns, parameters = dict(schema.columns), {"classification": schema.classification}
        if schema.classification == "csv":
            columns = dict.fromkeys([*columns, AFTER_LAST], "string")
            parameters["skip.header.line.count"] = "1"
        serde: dict[str, Any] = {"SerializationLibrary": schema.serde, "Parameters": dict(schema.serde_parameters)}
        if schema.classification == "csv":
            serde["Parameters"] |= {"separatorChar": ",", "quoteChar": '"', "escapeChar": "\x7f"}
        self._put_table(self._batch, f"batch_{dataset}", columns, folder, serde, parameters, [("ingest_date", DATE)])
        return schema

    def batch(self, dataset: str) -> DataFrame:
        """The batch table."""
        return self._read(self._batch, f"batch_{dataset}")

    def published(self, table: str) -> DataFrame:
        """A published table."""
        return self._read(self._processed, table)

    def publish(self, dataset: str) -> None:
        """Run the dataset's job on its batch and publish what it stages."""
        self._delete(f"staging/{dataset}/")
        self._run(dataset)
        for table in self._staged(dataset):
            folder = f"staging/{dataset}/{table}/"
            key = self._keys(folder)[0]
            content = self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read()
            schema = inspect_file(len(content), lambda start, length, c=content: c[start : start + length], [])
            serde = {"SerializationLibrary": schema.serde, "Parameters": dict(schema.serde_parameters)}
            parameters = {"classification": schema.classification}
            self._put_table(self._processed, table, schema.columns, folder, serde, parameters, [])

    def judged(self, dataset: str, ruleset: str) -> Judged:
        """What the dataset's job hands to its row rules, found by running its script up to there.

        A job with several rulesets is run on to the one that is `ruleset`, or most like it. Raises ValueError for a
        job without one, RuntimeError with the job's own error.
        """
        found: list[Judged] = []
        with _watched(found, ruleset.strip()):
            try:
                self._run(dataset)
            except _Reached:
                pass
            except Exception as error:
                if not found:
                    raise RuntimeError(f"glue-scripts/{dataset}.py failed before its rules: {error}") from error
        if not found:
            raise ValueError(f"glue-scripts/{dataset}.py evaluates no rules on its rows")
        lines = set(ruleset.splitlines())
        return max(found, key=lambda each: len(lines.intersection(each.ruleset.splitlines())))

    def _run(self, dataset: str) -> None:
        arguments = {
            "JOB_NAME": f"{self._bucket}-{dataset}",
            "JOB_RUN_ID": uuid.uuid4().hex,
            "BatchDatabase": self._batch,
            "ProcessedDatabase": self._processed,
            "ProcessedBucket": self._bucket,
            "ArtifactsBucket": self._bucket,
            "TempDir": f"s3://{self._bucket}/temp/",
        }
        before = sys.argv
        sys.argv = [dataset, *(part for name, value in arguments.items() for part in (f"--{name}", value))]
        try:
            runpy.run_path(str(self._scripts / f"{dataset}.py"))
        finally:
            sys.argv = before
            self._spark.catalog.clearCache()

    def _read(self, database: str, table: str) -> DataFrame:
        from local.runtime.catalog import read_table

        return read_table(self._spark, database, table)

    def _staged(self, dataset: str) -> list[str]:
        prefix = f"staging/{dataset}/"
        tables = {key.removeprefix(prefix).split("/")[0] for key in self._keys(prefix)}
        return sorted(tables - {"quarantine"})

    def _put_table(
        self,
        database: str,
        name: str,
        columns: dict[str, str],
        folder: str,
        serde: dict[str, Any],
        parameters: dict[str, str],
        partition: list[tuple[str, str]],
    ) -> None:
        if any(table["Name"] == name for table in self._glue.get_tables(DatabaseName=database)["TableList"]):
            self._glue.delete_table(DatabaseName=database, Name=name)
        storage = {
            "Columns": [{"Name": each, "Type": kind or "string"} for each, kind in columns.items()],
            "Location": f"s3://{self._bucket}/{folder}",
            "InputFormat": TEXT_FORMATS[0],
            "OutputFormat": TEXT_FORMATS[1],
            "SerdeInfo": serde,
            "Parameters": parameters,
        }
        keys = [{"Name": key, "Type": "string"} for key, _ in partition]
        table = {"Name": name, "TableType": "EXTERNAL_TABLE", "Parameters": parameters, "PartitionKeys": keys}
        self._glue.create_table(DatabaseName=database, TableInput={**table, "StorageDescriptor": storage})
        if partition:
            part = {"Values": [value for _, value in partition], "StorageDescriptor": storage}
            self._glue.create_partition(DatabaseName=database, TableName=name, PartitionInput=part)

    def _keys(self, prefix: str) -> list[str]:
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
        return [item["Key"] for page in pages for item in page.get("Contents", [])]

    def _delete(self, prefix: str) -> None:
        for key in self._keys(prefix):
            self._s3.delete_object(Bucket=self._bucket, Key=key)


def seen_by_crawler(file: Path) -> FileSchema:
    """What a crawler of the pipeline sees in a file."""
    with file.open("rb") as opened:

        def read(start: int, length: int) -> bytes:
            opened.seek(start, io.SEEK_SET)
            return opened.read(length)

        return inspect_file(file.stat().st_size, read, [HEADED])


class _Reached(BaseException):
    """The job has come to the rules that were asked for."""


@contextmanager
def _watched(found: list[Judged], wanted: str) -> Iterator[None]:
    """Note what a job's script hands to its rules, and end the script once the ruleset is the one that is wanted."""
    from awsgluedq.transforms import EvaluateDataQuality

    evaluate = EvaluateDataQuality.process_rows

    def process_rows(self: Any, *args: Any, **kwargs: Any) -> Any:
        given = inspect.signature(evaluate).bind(self, *args, **kwargs).arguments
        frames = given["frame"] if isinstance(given["frame"], Mapping) else {"": given["frame"]}
        (_, primary), *others = frames.items()
        sources = {**dict(others), **(given.get("additional_data_sources") or {})}
        by_row = (given.get("additional_options") or {}).get("compositeRuleEvaluation.method") == "ROW"
        tables = {alias: each.toDF() for alias, each in sources.items()}
        found.append(Judged(primary.toDF(), given["ruleset"], tables, by_row))
        if given["ruleset"].strip() == wanted:
            raise _Reached
        return evaluate(self, *args, **kwargs)

    setattr(EvaluateDataQuality, "process_rows", process_rows)  # noqa: B010
    try:
        yield
    finally:
        setattr(EvaluateDataQuality, "process_rows", evaluate)  # noqa: B010


def tables_of(root: Path) -> list[dict[str, Any]]:
    """The entries of datasets.json, each after those that it refers to."""
    listed = json.loads((root / "datasets.json").read_text())
    ordered: list[dict[str, Any]] = []
    while len(ordered) < len(listed):
        names = {entry["name"] for entry in ordered}
        ready = [
            entry for entry in listed if entry["name"] not in names and names.issuperset(entry.get("refers_to", []))
        ]
        if not ready:
            raise ValueError("datasets.json: datasets refer to each other in a circle, or to one that is not listed")
        ordered += ready
    return ordered
