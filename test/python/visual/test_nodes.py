"""Each type of node runs through its generated script on real Spark: a golden case a type, more where it matters."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from running_cloud import ROOT, RunningCloud
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
