"""Each type of node runs through its generated script on real Spark: a golden case a type, more where it matters."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from glue.support import ROLE
from running_cloud import ROOT, RunningCloud, wait_for
from visual.support import HERE, Case, cases, generate

pytestmark = pytest.mark.spark


@pytest.fixture(scope="module")
def command_line(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command line, built once."""
    built = tmp_path_factory.mktemp("bin") / "pipeline"
    subprocess.run(["go", "build", "-o", built, "./cmd/pipeline"], cwd=ROOT, check=True)
    return built


@pytest.mark.parametrize("name", cases())
def test_case(
    name: str,
    command_line: Path,
    cloud: RunningCloud,
    warehouse: Any,
    spark: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    case = Case(name, cloud, warehouse, spark).prepare()

    case.run(generate(command_line, name, tmp_path), monkeypatch)

    case.check()


def test_a_generated_script_runs_as_a_job(
    command_line: Path, cloud: RunningCloud, warehouse: Any, spark: Any, tmp_path: Path
) -> None:
    case = Case("amazon_redshift_target_merge", cloud, warehouse, spark).prepare()
    lake = case.lake
    lake.put("job.py", generate(command_line, case.name, tmp_path).read_text())
    lake.glue.create_job(
        Name=lake.name,
        Role=ROLE,
        GlueVersion="5.1",
        Command={"Name": "glueetl", "ScriptLocation": f"s3://{lake.name}/job.py", "PythonVersion": "3"},
        DefaultArguments={f"--{name}": value for name, value in case.names.items()},
    )
    run_id = lake.glue.start_job_run(JobName=lake.name)["JobRunId"]

    def ended() -> dict | None:
        run = lake.glue.get_job_run(JobName=lake.name, RunId=run_id)["JobRun"]
        return run if run["JobRunState"] not in ("STARTING", "RUNNING") else None

    run = wait_for(ended, 120, "the job")
    assert run["JobRunState"] == "SUCCEEDED", run.get("ErrorMessage")
    case.check()


def test_every_type_has_a_case_of_its_name(command_line: Path, tmp_path: Path) -> None:
    odd = tmp_path / "odd.dag.json"
    odd.write_text('{"node-1": {"Nonsense": {"Name": "Odd"}}}')
    refused = subprocess.run(
        [command_line, "visual", "generate", "--file", odd], cwd=ROOT, capture_output=True, text=True
    )
    known = set(re.findall(r"\b[A-Z]\w+[A-Za-z]\b", refused.stderr.partition("known")[2]))
    assert {"Route", "S3CsvSource", "AmazonRedshiftTarget"} <= known

    for kind in known:
        folder = HERE / snake_case(kind)
        assert (folder / "dag.json").exists(), f"{kind} has no golden case"
        nodes = json.loads((folder / "dag.json").read_text()).values()
        assert kind in {kind for node in nodes for kind in node}


def snake_case(kind: str) -> str:
    """The folder of a type: S3CsvSource is s3_csv_source, SparkSQL is spark_sql."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", kind).lower()
