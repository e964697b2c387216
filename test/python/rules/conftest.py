"""A small lake in the shared local cloud: batches in, the jobs' own scripts on them, what they staged out."""

from __future__ import annotations

import ast
import csv
import gzip
import io
import json
import runpy
import subprocess
import sys
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
from running_cloud import ROOT

DATE = "2024-06-01"
CSV_STORAGE = {
    "InputFormat": "org.apache.hadoop.mapred.TextInputFormat",
    "OutputFormat": "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
    "SerdeInfo": {
        "SerializationLibrary": "org.apache.hadoop.hive.serde2.OpenCSVSerde",
        "Parameters": {"separatorChar": ",", "quoteChar": '"', "escapeChar": "\x7f"},
    },
}
PARQUET_STORAGE = {
    "InputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
    "OutputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
    "SerdeInfo": {"SerializationLibrary": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"},
}


@dataclass
class Outcome:
    """What a job made of a batch. `distinct` is its own count of rows, after equal ones were dropped."""

    read: int
    distinct: int
    staged: dict[str, list[dict[str, Any]]]
    schemas: dict[str, Any]
    quarantined: list[dict[str, Any]] = field(default_factory=list)

    def reconciles(self, table: str) -> bool:
        """Whether each row read was processed, quarantined or a duplicate."""
        duplicates = self.read - self.distinct
        return self.read == len(self.staged[table]) + len(self.quarantined) + duplicates


class Lake:
    """Buckets and databases of its own in `cloud`; jobs run in `spark`."""

    def __init__(self, cloud: Any, spark: Any) -> None:
        name = f"rules-{uuid.uuid4().hex[:8]}"
        self.spark = spark
        self.bucket, self.batch, self.processed = name, f"{name}-batch", f"{name}-processed"
        self._s3, self._glue = cloud.client("s3"), cloud.client("glue")
        self._s3.create_bucket(Bucket=name)
        for database in (self.batch, self.processed):
            self._glue.create_database(DatabaseInput={"Name": database})

    def put_batch(self, dataset: str, *files: bytes, columns: list[str] | None = None) -> None:
        """Put a batch in place and point its table at it, as the workflow does; columns are the first file's header."""
        folder = f"raw/{dataset}/ingest_date={DATE}/"
        self._delete(folder)
        for number, content in enumerate(files):
            suffix = ".csv.gz" if content[:2] == b"\x1f\x8b" else ".csv"
            self._s3.put_object(Bucket=self.bucket, Key=f"{folder}{number}{suffix}", Body=content)
        names = columns or header(files[0])
        storage = {
            **CSV_STORAGE,
            "Columns": [{"Name": name, "Type": "string"} for name in [*names, "beyond_last_column"]],
            "Location": f"s3://{self.bucket}/{folder}",
        }
        parameters = {"classification": "csv", "skip.header.line.count": "1"}
        self._put_table(self.batch, f"batch_{dataset}", storage, parameters)

    def publish(self, table: str, imdb_ids: list[str]) -> None:
        """Publish rows of one column, imdb_id: all that other datasets need of a table of films."""
        folder = f"processed/{table}/ingest_date={DATE}/"
        self._delete(folder)
        content = io.BytesIO()
        pyarrow.parquet.write_table(pyarrow.table({"imdb_id": imdb_ids}), content)
        self._s3.put_object(Bucket=self.bucket, Key=f"{folder}0.parquet", Body=content.getvalue())
        storage = {
            **PARQUET_STORAGE,
            "Columns": [{"Name": "imdb_id", "Type": "string"}],
            "Location": f"s3://{self.bucket}/{folder}",
        }
        self._put_table(self.processed, table, storage, {"classification": "parquet"})

    def table(self, dataset: str) -> Any:
        """The batch table as a DataFrame."""
        from catalog import read_table

        return read_table(self.spark, self.batch, f"batch_{dataset}")

    def gate(self, dataset: str) -> dict[str, bool | None]:
        """Evaluate the gate's ruleset on the batch: whether each rule holds, None for one that cannot be evaluated."""
        from catalog import read_table

        from local.dq.engine import evaluate

        sources = {"movies": read_table(self.spark, self.processed, "movies")} if dataset == "ratings" else {}
        batch = self.table(dataset).cache()
        try:
            rules = evaluate(batch, ruleset(f"{dataset}_gate"), sources).rules
        finally:
            batch.unpersist()
        return {rule.text: outcome.passed for rule, outcome in rules}

    def run(self, dataset: str) -> Outcome:
        """Run the dataset's job on its batch, in this process."""
        self._delete(f"staging/{dataset}/")
        run = uuid.uuid4().hex
        arguments = {
            "JOB_NAME": f"{self.bucket}-{dataset}",
            "JOB_RUN_ID": run,
            "BatchDatabase": self.batch,
            "ProcessedDatabase": self.processed,
            "ProcessedBucket": self.bucket,
            "ArtifactsBucket": self.bucket,
            "TempDir": f"s3://{self.bucket}/temp/",
        }
        before, read = sys.argv, self.table(dataset).count()
        sys.argv = [dataset, *(part for name, value in arguments.items() for part in (f"--{name}", value))]
        try:
            runpy.run_path(str(ROOT / "glue-scripts" / f"{dataset}.py"))
        finally:
            sys.argv = before
            self.spark.catalog.clearCache()
        return self._outcome(dataset, read, self._distinct(run))

    def _distinct(self, run: str) -> int:
        results = self._glue.list_data_quality_results(Filter={"JobRunId": run})["Results"]
        rules = self._glue.get_data_quality_result(ResultId=results[0]["ResultId"])["RuleResults"]
        metrics = {name: value for rule in rules for name, value in rule.get("EvaluatedMetrics", {}).items()}
        return int(metrics["Dataset.*.RowCount"])

    def _outcome(self, dataset: str, read: int, distinct: int) -> Outcome:
        outcome = Outcome(read, distinct, {}, {})
        prefix = f"staging/{dataset}/"
        for key in self._keys(prefix):
            content = self._s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()
            table = key.removeprefix(prefix).split("/")[0]
            if table == "quarantine":
                outcome.quarantined += [json.loads(line) for line in content.decode().splitlines()]
                continue
            rows = pyarrow.parquet.read_table(io.BytesIO(content))
            outcome.staged.setdefault(table, []).extend(rows.to_pylist())
            outcome.schemas[table] = {field.name: str(field.type) for field in rows.schema}
        return outcome

    def _keys(self, prefix: str) -> list[str]:
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        return [item["Key"] for page in pages for item in page.get("Contents", [])]

    def _delete(self, prefix: str) -> None:
        for key in self._keys(prefix):
            self._s3.delete_object(Bucket=self.bucket, Key=key)

    def _put_table(self, database: str, name: str, storage: dict[str, Any], parameters: dict[str, str]) -> None:
        tables = self._glue.get_tables(DatabaseName=database)["TableList"]
        if any(table["Name"] == name for table in tables):
            self._glue.delete_table(DatabaseName=database, Name=name)
        table = {
            "Name": name,
            "TableType": "EXTERNAL_TABLE",
            "Parameters": parameters,
            "PartitionKeys": [{"Name": "ingest_date", "Type": "string"}],
            "StorageDescriptor": storage,
        }
        self._glue.create_table(DatabaseName=database, TableInput=table)
        part = {"Values": [DATE], "StorageDescriptor": storage}
        self._glue.create_partition(DatabaseName=database, TableName=name, PartitionInput=part)


def header(content: bytes) -> list[str]:
    """The names in the first line of a CSV file."""
    plain = gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
    return next(csv.reader([plain.split(b"\n", 1)[0].decode()]))


def ruleset(name: str) -> str:
    """The text of a ruleset."""
    return (ROOT / "dqdl-rules" / f"{name}.dqdl").read_text()


def constants(dataset: str) -> dict[str, str]:
    """The texts that a job's script gives names to: its rulesets and queries."""
    tree = ast.parse((ROOT / "glue-scripts" / f"{dataset}.py").read_text())
    assigned = [node for node in tree.body if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)]
    return {node.targets[0].id: str(node.value.value) for node in assigned if isinstance(node.targets[0], ast.Name)}  # type: ignore[attr-defined]


def sample(out: Path, *options: str) -> Path:
    """Make a sample in a process of its own, as a person does."""
    maker = ROOT / "sample-data" / "make_sample.py"
    subprocess.run([sys.executable, maker, "--out", out, "--date", DATE, *options], check=True)
    return out


def manifest(folder: Path) -> list[dict[str, Any]]:
    """The faults that were put into a sample."""
    return [json.loads(line) for line in (folder / "manifest.jsonl").read_text().splitlines()]


@pytest.fixture(scope="session")
def lake(cloud: Any, spark: Any) -> Lake:
    """A lake that tests share; each puts its own batch."""
    return Lake(cloud, spark)
