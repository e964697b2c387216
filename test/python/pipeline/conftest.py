"""The deployed pipeline: the synthesized stacks in a local cloud of their own, driven by the command line."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as parquet
import pytest
from running_cloud import ROOT, RunningCloud

DATASETS: list[dict[str, Any]] = json.loads((ROOT / "datasets.json").read_text())
# The fewest ratings that pass the gate with room to spare: a run is not to take longer than it must.
RATINGS = 60_000
RUN_SECONDS = 280
# The batch that the tests begin with.
DATE = "2026-01-31"


class Pipeline:
    """The deployed pipeline and what can be asked of it."""

    def __init__(self, cloud: RunningCloud, binary: Path) -> None:
        self.cloud = cloud
        self.binary = binary
        self.environment = {
            **os.environ,
            "AWS_ENDPOINT_URL": cloud.url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "CDK_DISABLE_CLI_TELEMETRY": "1",
        }
        self.outputs: dict[str, str] = {}

    def cdk(self, *arguments: str) -> None:
        """Run the genuine CDK command line against this cloud."""
        command = [str(ROOT / "node_modules/.bin/cdk"), *arguments]
        done = subprocess.run(command, cwd=ROOT, env=self.environment, text=True, capture_output=True)
        assert done.returncode == 0, f"{' '.join(arguments)}\n{done.stdout}\n{done.stderr}"

    def read_outputs(self) -> None:
        """Learn the names of what was deployed."""
        for stack in self.cloud.client("cloudformation").describe_stacks()["Stacks"]:
            for output in stack.get("Outputs", []):
                self.outputs[output["OutputKey"]] = output["OutputValue"]

    def command(self, *arguments: str) -> list[str]:
        """A command line on this cloud."""
        return [str(self.binary), *arguments, "--aws"]

    def __call__(self, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        """Run a command to its end and check its exit code."""
        done = subprocess.run(
            self.command(*arguments),
            cwd=ROOT,
            env=self.environment,
            text=True,
            capture_output=True,
            timeout=RUN_SECONDS,
        )
        assert done.returncode == code, f"exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def run(self, raw: Path, date: str, *datasets: str, code: int = 0) -> dict[str, Any]:
        """Deliver a batch, run the pipeline on it, and give the run's result."""
        chosen = ["--datasets", ",".join(datasets)] if datasets else []
        done = self("run", "--raw", str(raw), "--ingest-date", date, "--output", "json", *chosen, code=code)
        result = json.loads(done.stdout)
        result["told"] = done.stderr
        return result

    def query(self, sql: str) -> list[dict[str, Any]]:
        """Rows of a query on the warehouse."""
        return json.loads(self("query", sql, "--output", "json").stdout)

    def lake(self) -> dict[str, list[str]]:
        """Every published row, processed and quarantined, by table and date; file names do not count."""
        rows: dict[str, list[str]] = {}
        s3, bucket = self.cloud.client("s3"), self.outputs["ProcessedBucket"]
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
            for item in page.get("Contents", []):
                # Which run set rows aside is no part of what they are.
                folder = re.sub("/execution=[^/]+$", "", item["Key"].rpartition("/")[0])
                if not folder.startswith(("processed/", "quarantine/")):
                    continue
                body = s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read()
                rows.setdefault(folder, []).extend(_rows(item["Key"], body))
        return {folder: sorted(found) for folder, found in rows.items() if found}

    def marts(self) -> list[str]:
        """The names of the marts."""
        found = self.query("select table_name from information_schema.tables where table_schema = 'marts' order by 1")
        return [row["table_name"] for row in found]

    def warehouse(self) -> dict[str, Any]:
        """What analysts see: every row of the marts, and how many rows of which dates they come from."""
        seen: dict[str, Any] = {mart: self._rows_of(f"select * from marts.{mart}") for mart in self.marts()}
        for table in (table for dataset in DATASETS for table in dataset["tables"]):
            seen[f"analytics.{table}"] = self._rows_of(f"select count(*) as row_count from analytics.{table}")
            by_date = f"select ingest_date, count(*) as row_count from history.{table} group by 1"
            seen[f"history.{table}"] = self._rows_of(by_date)
        seen["quarantine"] = self._rows_of("select dataset, ingest_date, rules_broken, row from analytics.quarantine")
        return seen

    def quarantine(self, *arguments: str) -> list[dict[str, str]]:
        """The rows in quarantine as they are given for editing."""
        shown = self("quarantine", "show", "--output", "csv", *arguments).stdout
        return list(csv.DictReader(io.StringIO(shown)))

    def rule_results(self, execution: str) -> list[dict[str, Any]]:
        """How the rules fared in a run, as the warehouse keeps it."""
        columns = "dataset, ruleset, rule, result, score"
        return self.query(f"select {columns} from audit.rule_results where execution = '{execution}'")

    def _rows_of(self, sql: str) -> list[str]:
        return sorted(json.dumps(row, sort_keys=True) for row in self.query(sql))


def _rows(key: str, body: bytes) -> list[str]:
    if key.endswith(".parquet"):
        table = parquet.read_table(io.BytesIO(body))
        return [json.dumps(row, sort_keys=True, default=str) for row in table.to_pylist()]
    return body.decode().splitlines()


@pytest.fixture(scope="session")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """The pipeline, deployed as `cdk deploy --all` does, and destroyed by `cdk destroy --all`, which leaves nothing."""
    folder = tmp_path_factory.mktemp("pipeline")
    binary = folder / "pipeline"
    subprocess.run(["go", "build", "-o", str(binary), "./cmd/pipeline"], cwd=ROOT, check=True)
    cloud = RunningCloud(folder / "state").start()
    try:
        deployed = Pipeline(cloud, binary)
        assembly = str(folder / "cdk.out")
        deployed.cdk("synth", "--quiet", "--output", assembly)
        deployed.cdk("bootstrap", "aws://000000000000/us-east-1", "--app", assembly)
        deployed.cdk("deploy", "--all", "--require-approval", "never", "--app", assembly)
        deployed.read_outputs()
        yield deployed
        deployed.cdk("destroy", "--all", "--force", "--app", assembly)
        _assert_nothing_left(cloud)
    finally:
        cloud.stop()


def _assert_nothing_left(cloud: RunningCloud) -> None:
    """Only what `cdk bootstrap` made is left."""
    stacks = cloud.client("cloudformation").list_stacks(
        StackStatusFilter=["CREATE_COMPLETE", "UPDATE_COMPLETE", "DELETE_FAILED"]
    )
    assert [stack["StackName"] for stack in stacks["StackSummaries"]] == ["CDKToolkit"]
    assert all(bucket["Name"].startswith("cdk-") for bucket in cloud.client("s3").list_buckets()["Buckets"])
    assert cloud.client("glue").get_databases()["DatabaseList"] == []
    assert cloud.client("glue").get_jobs()["Jobs"] == []
    assert cloud.client("redshift-serverless").list_workgroups()["workgroups"] == []
    assert cloud.client("stepfunctions").list_state_machines()["stateMachines"] == []


class Batch:
    """A delivery: a folder with a folder of files for each dataset, which a test may change.

    Read and written as Latin-1, which keeps every byte, also those that are no UTF-8.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def copy(self, to: Path) -> Batch:
        """A copy to change."""
        shutil.copytree(self.folder, to)
        return Batch(to)

    def file(self, dataset: str) -> Path:
        """The one file of a dataset."""
        (path,) = (self.folder / dataset).iterdir()
        return path

    def rows(self, dataset: str) -> list[list[str]]:
        """Header and rows."""
        with self.file(dataset).open(encoding="latin-1", newline="") as file:
            return list(csv.reader(file))

    def rewrite(self, dataset: str, rows: list[list[str]]) -> Batch:
        """Replace header and rows."""
        with self.file(dataset).open("w", encoding="latin-1", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(rows)
        return self

    def without(self, dataset: str) -> Batch:
        """Deliver nothing for a dataset."""
        shutil.rmtree(self.folder / dataset)
        return self


def make(folder: Path, *arguments: str) -> Batch:
    """A delivery by the maker of samples."""
    command = [sys.executable, str(ROOT / "sample-data/make_sample.py"), "--out", str(folder), "--date", "2026-01-31"]
    subprocess.run([*command, "--ratings", str(RATINGS), *arguments], check=True, capture_output=True)
    return Batch(folder)


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Batch:
    """All films and some ratings, with faults in rows."""
    return make(tmp_path_factory.mktemp("sample") / "good", "--faults", "rows")


@pytest.fixture(scope="session")
def good_run(pipeline: Pipeline, sample: Batch) -> dict[str, Any]:
    """The result of the first run, on the sample."""
    return pipeline.run(sample.folder, DATE)
