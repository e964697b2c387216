"""`pipeline dq`, from the command line to the exit code."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from running_cloud import ROOT

pytestmark = pytest.mark.spark

FILMS = "Id,title,year,studio\n1,One,1950,a\n2,,1850,a\n3,Three,,b\n"
STUDIOS = '{"name": "a"}\n'
RULES = """Rules = [
    RowCount = 3,
    ColumnLength "TITLE" > 0,
    ColumnValues "year" > 1900,
    ReferentialIntegrity "studio" "studios.name" >= 0.5
]
Analyzers = [ Completeness "title" ]
"""


@pytest.fixture(scope="module")
def binary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    built = tmp_path_factory.mktemp("bin") / "pipeline"
    subprocess.run(["go", "build", "-o", str(built), "./cmd/pipeline"], cwd=ROOT, check=True)
    return built


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, content in {"films.csv": FILMS, "studios.jsonl": STUDIOS, "rules.dqdl": RULES}.items():
        (tmp_path / name).write_text(content)
    return tmp_path


def pipeline(binary: Path, folder: Path, line: str, code: int) -> subprocess.CompletedProcess[str]:
    arguments = [part.replace("@", f"{folder}/") for part in line.split()]
    done = subprocess.run([binary, "dq", *arguments], cwd=ROOT, text=True, capture_output=True)
    assert done.returncode == code, done.stderr
    return done


def test_rules_rows_and_exit_code(binary: Path, folder: Path) -> None:
    line = "--rules @rules.dqdl --data @films.csv --source studios=@studios.jsonl --rows @out.jsonl --output json"
    done = pipeline(binary, folder, line, 1)
    result = json.loads(done.stdout)
    assert set(result) == {"passed", "failed", "rules", "analyzers", "rows"}
    assert (result["passed"], result["failed"], result["rows"]) == (2, 2, {"total": 3, "failed": 2})
    assert all(set(rule) == {"rule", "outcome", "reason", "metrics"} for rule in result["rules"])
    assert [rule["outcome"] for rule in result["rules"]] == ["Passed", "Failed", "Failed", "Passed"]
    assert result["rules"][0]["reason"] is None
    assert result["rules"][2]["metrics"] == {"Column.year.Minimum": 1850}
    assert "✓ Evaluate" in done.stderr

    rows = [json.loads(text) for text in (folder / "out.jsonl").read_text().splitlines()]
    assert [row["Id"] for row in rows] == [2, 3]
    assert rows[1] == {
        "Id": 3,
        "title": "Three",
        "year": None,
        "studio": "b",
        "DataQualityRulesPass": ['ColumnLength "TITLE" > 0'],
        "DataQualityRulesFail": [
            'ColumnValues "year" > 1900',
            'ReferentialIntegrity "studio" "studios.name" >= 0.5',
        ],
        "DataQualityRulesSkip": ["RowCount = 3"],
        "DataQualityEvaluationResult": "Failed",
    }


def test_rules_look_back_at_a_file(binary: Path, folder: Path) -> None:
    (folder / "rules.dqdl").write_text('Rules = [ RowCount > last(1) labels=["kind"="volume"] ]')
    (folder / "past.jsonl").write_text('{"at": "2026-01-01T00:00:00+00:00", "metrics": {"Dataset.*.RowCount": 2}}\n')
    line = "--rules @rules.dqdl --data @films.csv --history @past.jsonl --output json"
    (rule,) = json.loads(pipeline(binary, folder, line, 0).stdout)["rules"]
    assert rule["labels"] == {"kind": "volume"}
    kept = [json.loads(text)["metrics"] for text in (folder / "past.jsonl").read_text().splitlines()]
    assert kept == [{"Dataset.*.RowCount": 2}, {"Dataset.*.RowCount": 3}]

    (folder / "past.jsonl").write_text("3\n")
    done = pipeline(binary, folder, line, 2)
    assert "past.jsonl, line 1: want" in done.stderr
    assert "Start" not in done.stderr  # told before Spark starts


def test_a_ruleset_that_is_no_dqdl(binary: Path, folder: Path) -> None:
    (folder / "rules.dqdl").write_text("Rules = [\n  RowCount >> 3\n]\n")
    done = pipeline(binary, folder, "--rules @rules.dqdl --data @films.csv --rows @out.jsonl", 2)
    assert "rules.dqdl: line 2, column 13" in done.stderr
    assert done.stdout == ""
    assert not (folder / "out.jsonl").exists()


def test_data_that_cannot_be_read(binary: Path, folder: Path) -> None:
    (folder / "films.csv").write_text("")
    done = pipeline(binary, folder, "--rules @rules.dqdl --data @films.csv", 2)
    assert done.stderr.strip() == f"pipeline: {folder}/films.csv: the file is empty"
