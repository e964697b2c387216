"""The command line against a running local cloud with small stacks of the pipeline's names.

The commands run with --aws: it is the same code, with the cloud's address from AWS_ENDPOINT_URL.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from running_cloud import ROOT, RunningCloud, wait_for

ENVIRONMENT = "cli"
DATE = "2026-01-31"
DATASETS = [dataset["name"] for dataset in json.loads((ROOT / "datasets.json").read_text())]
ONE = DATASETS[0]


class Pipeline:
    """The command line, built once, on one cloud."""

    def __init__(self, binary: Path, cloud: RunningCloud, outputs: dict[str, str]) -> None:
        self.binary = binary
        self.cloud = cloud
        self.outputs = outputs
        self.environment = {**os.environ, "AWS_ENDPOINT_URL": cloud.url}

    def command(self, *arguments: str) -> list[str]:
        """A command line for the test's environment."""
        return [str(self.binary), *arguments, "--aws", "--environment", ENVIRONMENT]

    def __call__(self, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        """Run a command to its end and check its exit code."""
        done = subprocess.run(
            self.command(*arguments), env=self.environment, cwd=ROOT, text=True, capture_output=True, timeout=60
        )
        assert done.returncode == code, done.stderr
        return done

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command that the test interrupts."""
        pipe = subprocess.PIPE
        return subprocess.Popen(
            self.command(*arguments), env=self.environment, cwd=ROOT, text=True, stdout=pipe, stderr=pipe
        )

    def keys(self, dataset: str) -> list[str]:
        """Names of the files in the raw bucket."""
        prefix = f"raw/{dataset}/ingest_date={DATE}/"
        listed = self.cloud.client("s3").list_objects_v2(Bucket=self.outputs["RawBucket"], Prefix=prefix)
        return [item["Key"].removeprefix(prefix) for item in listed.get("Contents", [])]


@pytest.fixture(scope="module")
def pipeline(cloud: RunningCloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    binary = tmp_path_factory.mktemp("bin") / "pipeline"
    subprocess.run(["go", "build", "-o", str(binary), "./cmd/pipeline"], cwd=ROOT, check=True)
    stacks = {"lake": lake(), "warehouse": warehouse(), "workflow": workflow()}
    outputs: dict[str, str] = {}
    for layer, template in stacks.items():
        outputs |= deploy(cloud, f"movie-pipeline-{ENVIRONMENT}-{layer}", template)
    yield Pipeline(binary, cloud, outputs)
    for layer in reversed(stacks):
        cloud.client("cloudformation").delete_stack(StackName=f"movie-pipeline-{ENVIRONMENT}-{layer}")


def lake() -> dict:
    """The buckets."""
    return {
        "Resources": {name: {"Type": "AWS::S3::Bucket"} for name in ("Raw", "Artifacts", "Processed")},
        "Outputs": {
            "ProcessedBucket": {"Value": {"Ref": "Processed"}},
            "RawBucket": {"Value": {"Ref": "Raw"}, "Export": {"Name": "cli-raw"}},
            "ArtifactsBucket": {"Value": {"Ref": "Artifacts"}, "Export": {"Name": "cli-artifacts"}},
        },
    }


def warehouse() -> dict:
    """An empty warehouse."""
    name = f"movie-pipeline-{ENVIRONMENT}"
    return {
        "Resources": {
            "Namespace": {
                "Type": "AWS::RedshiftServerless::Namespace",
                "Properties": {"NamespaceName": name, "DbName": "movies", "ManageAdminPassword": True},
            },
            "Workgroup": {
                "Type": "AWS::RedshiftServerless::Workgroup",
                "DependsOn": "Namespace",
                "Properties": {"WorkgroupName": name, "NamespaceName": name, "BaseCapacity": 8},
            },
        },
        "Outputs": {
            "Workgroup": {"Value": name},
            "Database": {"Value": "movies"},
            "AdminSecretArn": {"Value": {"Fn::GetAtt": ["Namespace", "Namespace.AdminPasswordSecretArn"]}},
        },
    }


def workflow() -> dict:
    """The stand-in of workflow.asl.json."""
    definition = (Path(__file__).parent / "workflow.asl.json").read_text()
    return {
        "Resources": {
            "Machine": {
                "Type": "AWS::StepFunctions::StateMachine",
                "Properties": {
                    "StateMachineName": f"movie-pipeline-{ENVIRONMENT}",
                    "RoleArn": "arn:aws:iam::000000000000:role/cli",
                    "DefinitionString": definition,
                    "DefinitionSubstitutions": {
                        "Raw": {"Fn::ImportValue": "cli-raw"},
                        "Artifacts": {"Fn::ImportValue": "cli-artifacts"},
                    },
                },
            }
        },
        "Outputs": {"StateMachineArn": {"Value": {"Ref": "Machine"}}},
    }


def deploy(cloud: RunningCloud, name: str, template: dict) -> dict[str, str]:
    """Create a stack and give its outputs."""
    cloudformation = cloud.client("cloudformation")
    cloudformation.create_stack(StackName=name, TemplateBody=json.dumps(template))

    def ended() -> Any:
        stack = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
        return stack if not stack["StackStatus"].endswith("IN_PROGRESS") else None

    stack = wait_for(ended, 30, f"stack {name}")
    assert stack["StackStatus"] == "CREATE_COMPLETE", [
        event.get("ResourceStatusReason")
        for event in cloudformation.describe_stack_events(StackName=name)["StackEvents"]
    ]
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def batch(folder: Path, **files: str) -> str:
    """A folder with the files of one dataset."""
    (folder / ONE).mkdir()
    for name, content in files.items():
        (folder / ONE / f"{name}.csv").write_text(content)
    return str(folder)


def run(pipeline: Pipeline, raw: str, code: int = 0) -> dict:
    """Run the stand-in on a batch and give its JSON result."""
    done = pipeline("run", "--raw", raw, "--ingest-date", DATE, "--datasets", ONE, "--output", "json", code=code)
    return json.loads(done.stdout)


def test_a_run_uploads_and_reports(pipeline: Pipeline, tmp_path: Path) -> None:
    result = run(pipeline, batch(tmp_path, a="id\n1\n", b="id\n2\n"))
    assert pipeline.keys(ONE) == ["a.csv", "b.csv"]
    assert result["status"] == "SUCCEEDED"
    assert result["error"] is None
    assert result["ingest_date"] == DATE
    assert result["datasets"][ONE] == {
        "status": "SUCCEEDED", "reason": None, "read": 2, "processed": None, "quarantined": None,
        "duplicates": None, "loaded": None, "failed_rules": [], "warnings": [],
    }  # fmt: skip
    steps = [(step["name"], step["dataset"], step["status"]) for step in result["steps"]]
    assert steps == [
        ("Input", None, "SUCCEEDED"),
        ("Lock", None, "SUCCEEDED"),
        ("Gate", ONE, "SUCCEEDED"),
        ("Publish", ONE, "SUCCEEDED"),
        ("Report", None, "SUCCEEDED"),
    ]
    assert all(step["seconds"] >= 0 for step in result["steps"])


def test_a_corrected_batch_replaces_the_earlier_one(pipeline: Pipeline, tmp_path: Path) -> None:
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
    run(pipeline, batch(tmp_path / "first", a="id\n1\n", b="id\n2\n"))
    run(pipeline, batch(tmp_path / "second", b="id\n3\n"))
    assert pipeline.keys(ONE) == ["b.csv"]
    object_ = pipeline.cloud.client("s3").get_object(
        Bucket=pipeline.outputs["RawBucket"], Key=f"raw/{ONE}/ingest_date={DATE}/b.csv"
    )
    assert object_["Body"].read() == b"id\n3\n"


def test_a_large_file_arrives_whole(pipeline: Pipeline, tmp_path: Path) -> None:
    content = "".join(f"{number},{'x' * 60}\n" for number in range(300_000))
    assert len(content) > 16 << 20, "large enough for several parts"
    run(pipeline, batch(tmp_path, a=content))
    object_ = pipeline.cloud.client("s3").get_object(
        Bucket=pipeline.outputs["RawBucket"], Key=f"raw/{ONE}/ingest_date={DATE}/a.csv"
    )
    assert object_["Body"].read().decode() == content


def test_a_failed_run_names_step_dataset_and_cause(pipeline: Pipeline, tmp_path: Path) -> None:
    done = pipeline("run", "--raw", batch(tmp_path, bad="id\n"), "--ingest-date", DATE, "--datasets", ONE, code=1)
    assert f"the run failed at step Gate of dataset {ONE} (GateFailed): a file is bad" in done.stderr
    assert f"pipeline logs gate --dataset {ONE} --execution {DATE}-run-" in done.stderr
    assert f"✗ Gate         {ONE}" in done.stderr
    assert "FAILED" in done.stdout

    name = done.stderr.split("--execution ")[1].split()[0]
    result = json.loads(pipeline("status", name, "--output", "json").stdout)
    assert result["error"] == {"step": "Gate", "dataset": ONE, "error": "GateFailed", "cause": "a file is bad"}
    assert {"Gate": "FAILED"}.items() <= {step["name"]: step["status"] for step in result["steps"]}.items()
    assert name in pipeline("status").stdout

    log = pipeline("logs", "gate", "--execution", name).stdout
    assert f"Gate: look {ONE}" in log
    assert f"Gate: did it pass {ONE}" in log, "the decision that failed it"
    refused = pipeline("logs", "paint", "--execution", name, code=2)
    assert 'the run had no step "paint"; it had Input, Lock, Gate, Report' in refused.stderr


def test_interrupted_watching_leaves_the_run_and_can_be_taken_up(pipeline: Pipeline, tmp_path: Path) -> None:
    s3, artifacts = pipeline.cloud.client("s3"), pipeline.outputs["ArtifactsBucket"]
    s3.put_object(Bucket=artifacts, Key="hold", Body=b"")
    raw = batch(tmp_path, a="id\n")
    try:
        watching = pipeline.start("run", "--raw", raw, "--ingest-date", DATE)
        assert watching.stderr is not None
        name = next(line.split()[1] for line in watching.stderr if line.startswith("Run "))
        watching.send_signal(signal.SIGINT)
        _, said = watching.communicate(timeout=30)
        assert watching.returncode == 130
        assert f"the run goes on. Watch it again: pipeline status {name} --watch --aws" in said

        busy = pipeline("run", "--raw", raw, "--ingest-date", DATE, code=1)
        assert f"run {name} is under way" in busy.stderr
    finally:
        s3.delete_object(Bucket=artifacts, Key="hold")
    done = pipeline("status", name, "--watch", "--output", "json")
    assert json.loads(done.stdout)["status"] == "SUCCEEDED"


def test_unknown_run(pipeline: Pipeline) -> None:
    assert 'there is no run "nobody"' in pipeline("status", "nobody", code=2).stderr


def test_environment_that_is_not_deployed(pipeline: Pipeline) -> None:
    done = subprocess.run(
        [pipeline.binary, "status", "--aws", "--environment", "nowhere"],
        env=pipeline.environment, cwd=ROOT, text=True, capture_output=True,
    )  # fmt: skip
    assert done.returncode == 1
    assert "stack movie-pipeline-nowhere-lake is not deployed in region us-east-1" in done.stderr
    assert "npx cdk deploy --all -c environment=nowhere" in done.stderr


def test_query_keeps_types(pipeline: Pipeline) -> None:
    sql = "select 1 as n, 12.50::decimal(6,2) as amount, 0.5::float8 as x, null::int as nothing, 'a,\"b\"' as words"
    rows = json.loads(pipeline("query", sql, "--output", "json").stdout)
    assert rows == [{"n": 1, "amount": 12.5, "x": 0.5, "nothing": None, "words": 'a,"b"'}]
    lines = list(csv.reader(io.StringIO(pipeline("query", sql, "--output", "csv").stdout)))
    assert lines == [["n", "amount", "x", "nothing", "words"], ["1", "12.50", "0.5", "", 'a,"b"']]
    assert "amount" in pipeline("query", sql).stdout


def test_query_reads_every_page(pipeline: Pipeline) -> None:
    pipeline("query", "create table numbers (n int)")
    values = ", ".join(f"({number})" for number in range(2_500))
    pipeline("query", f"insert into numbers values {values}")
    rows = json.loads(pipeline("query", "select n from numbers order by n", "--output", "json").stdout)
    assert [row["n"] for row in rows] == list(range(2_500))


def test_query_from_a_file(pipeline: Pipeline, tmp_path: Path) -> None:
    question = tmp_path / "question.sql"
    question.write_text("select 42 as answer;\n")
    assert json.loads(pipeline("query", "--file", str(question), "--output", "json").stdout) == [{"answer": 42}]


def test_query_tells_what_the_warehouse_refuses(pipeline: Pipeline) -> None:
    done = pipeline("query", "select title from films", code=1)
    assert "the warehouse refused the statement" in done.stderr
    assert "films" in done.stderr
    assert done.stdout == ""


# Quarantine -----------------------------------------------------------------------------------------------------------

SET_ASIDE = f"{DATE}-run-1"


@pytest.fixture
def quarantined(pipeline: Pipeline) -> Iterator[Pipeline]:
    """A batch of two files with three bad rows, one of them twice, set aside by a run."""
    s3 = pipeline.cloud.client("s3")
    rows = [
        {"id": "x", "title": 'A, "B"', "ingest_date": DATE, "rules_broken": 'IsComplete "id_typed"\nid_typed > 0'},
        {"id": "y", "ingest_date": DATE, "rules_broken": "ColumnCount = 2"},
        {"id": "9", "title": "é", "beyond_last_column": "z", "ingest_date": DATE, "rules_broken": "ColumnCount = 2"},
    ]
    key = f"quarantine/{ONE}/ingest_date={DATE}/execution={SET_ASIDE}/part-0.json"
    place = {"Bucket": pipeline.outputs["ProcessedBucket"], "Key": key}
    s3.put_object(**place, Body="\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode())
    folder = f"raw/{ONE}/ingest_date={DATE}/"
    for name in pipeline.keys(ONE):
        s3.delete_object(Bucket=pipeline.outputs["RawBucket"], Key=folder + name)
    put(pipeline, "a.csv", b'Id,Title\r\n1,"one"\r\nx,"A, ""B"""\r\ny\r\nx,"A, ""B"""\r\n')
    put(pipeline, "b.csv.gz", gzip.compress("id,title\n9,é,z,zz\n2,two".encode()))
    yield pipeline
    s3.delete_object(**place)


def put(pipeline: Pipeline, name: str, body: bytes) -> None:
    key = f"raw/{ONE}/ingest_date={DATE}/{name}"
    pipeline.cloud.client("s3").put_object(Bucket=pipeline.outputs["RawBucket"], Key=key, Body=body)


def raw(pipeline: Pipeline, name: str) -> bytes:
    key = f"raw/{ONE}/ingest_date={DATE}/{name}"
    body = pipeline.cloud.client("s3").get_object(Bucket=pipeline.outputs["RawBucket"], Key=key)["Body"].read()
    return gzip.decompress(body) if name.endswith(".gz") else body


def sheet(pipeline: Pipeline, path: Path, **changes: dict[str, str]) -> str:
    """The rows for editing, edited: columns by the `id` of the row that is changed."""
    shown = pipeline("quarantine", "show", "--dataset", ONE, "--ingest-date", DATE, "--output", "csv").stdout
    rows = list(csv.DictReader(io.StringIO(shown)))
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(row | changes.get(f"id_{row['id']}", {}) for row in rows)
    return str(path)


def replay(pipeline: Pipeline, *arguments: str, code: int = 0) -> str:
    done = pipeline("quarantine", "replay", "--dataset", ONE, "--ingest-date", DATE, *arguments, code=code)
    return done.stderr


def test_rows_in_quarantine_are_shown_with_their_rules(quarantined: Pipeline) -> None:
    shown = json.loads(quarantined("quarantine", "show", "--output", "json").stdout)
    assert shown["batches"] == [{"dataset": ONE, "ingest_date": DATE, "execution": SET_ASIDE, "rows": 3}]
    assert shown["rules"][0] == {"dataset": ONE, "rule": "ColumnCount = 2", "rows": 2}
    assert shown["rows"][0]["row"] == {"id": "x", "title": 'A, "B"'}
    assert shown["rows"][0]["rules_broken"] == ['IsComplete "id_typed"', "id_typed > 0"]
    table = quarantined("quarantine", "show", "--rule", "iscomplete").stdout
    assert 'title=A, "B"' in table
    assert "ColumnCount" not in table
    limited = json.loads(quarantined("quarantine", "show", "--limit", "1", "--output", "json").stdout)
    assert (len(limited["rows"]), limited["batches"][0]["rows"]) == (1, 3)
    assert "No such rows" in quarantined("quarantine", "show", "--ingest-date", "2020-01-01").stdout
    assert "give --dataset" in quarantined("quarantine", "show", "--output", "csv", code=2).stderr


def test_mended_rows_replace_the_bad_ones_in_the_batch(quarantined: Pipeline, tmp_path: Path) -> None:
    mended = sheet(
        quarantined,
        tmp_path / "rows.csv",
        id_x={"id": "7"},
        id_9={"title": "é, ü", "beyond_last_column": ""},
    )
    told = replay(quarantined, "--rows", mended)
    assert "2 of 3 rows mended, 3 lines replaced in 2 file(s)" in told
    assert "3 rows before, 3 now" in told, "the stand-in sets nothing aside"
    assert raw(quarantined, "a.csv") == b'Id,Title\r\n1,"one"\r\n7,"A, ""B"""\r\ny\r\n7,"A, ""B"""\r\n'
    assert raw(quarantined, "b.csv.gz") == 'id,title\n9,"é, ü"\n2,two'.encode()


def test_a_replay_that_was_broken_off_goes_on(quarantined: Pipeline, tmp_path: Path) -> None:
    """After a crash between the first file and the second, and after one before the run was started."""
    mended = sheet(quarantined, tmp_path / "rows.csv", id_x={"id": "7"}, id_9={"beyond_last_column": ""})
    put(quarantined, "a.csv", raw(quarantined, "a.csv").replace(b"\nx,", b"\n7,"))
    assert "1 lines replaced in 1 file(s) of the batch; 1 were there already" in replay(quarantined, "--rows", mended)
    whole = raw(quarantined, "a.csv"), raw(quarantined, "b.csv.gz")
    assert "0 lines replaced in 0 file(s) of the batch; 2 were there already" in replay(quarantined, "--rows", mended)
    assert (raw(quarantined, "a.csv"), raw(quarantined, "b.csv.gz")) == whole


def test_a_replay_that_does_not_fit_writes_nothing(quarantined: Pipeline, tmp_path: Path) -> None:
    whole = raw(quarantined, "a.csv"), raw(quarantined, "b.csv.gz")
    unchanged = sheet(quarantined, tmp_path / "same.csv")
    assert "no row of" in replay(quarantined, "--rows", unchanged, code=2)
    mended = Path(sheet(quarantined, tmp_path / "rows.csv", id_x={"id": "7"}, id_9={"beyond_last_column": ""}))
    other = tmp_path / "other.csv"
    other.write_text(mended.read_text().replace(SET_ASIDE, f"{DATE}-run-0"))
    assert f"now that of run {SET_ASIDE}" in replay(quarantined, "--rows", str(other), code=2)
    put(quarantined, "a.csv", b"id,title\n1,one\n")
    assert "Nothing was written" in replay(quarantined, "--rows", str(mended), code=2)
    assert raw(quarantined, "b.csv.gz") == whole[1]
    assert "nothing to replay" in quarantined(
        "quarantine", "replay", "--dataset", ONE, "--ingest-date", "2020-01-01", code=2
    ).stderr  # fmt: skip


def test_a_date_goes_through_again_without_changed_rows(quarantined: Pipeline) -> None:
    whole = raw(quarantined, "a.csv"), raw(quarantined, "b.csv.gz")
    assert "3 rows before, 3 now; 0 left it" in replay(quarantined)
    assert (raw(quarantined, "a.csv"), raw(quarantined, "b.csv.gz")) == whole


def test_history_of_rules(pipeline: Pipeline) -> None:
    tables = (ROOT / "sql/quality/tables.sql").read_text(encoding="utf-8")
    create = next(part for part in tables.split(";") if "audit.rule_results" in part)
    pipeline("query", "create schema audit")
    pipeline("query", create)
    for day, score, rows in ((30, 1.0, 50), (31, 0.5, 20)):
        values = f"'run-{day}', '{ONE}', '2026-01-{day}', 'gate', '2026-02-01 00:00:{day}', {score}"
        metrics = json.dumps([{"name": "Dataset.*.RowCount", "value": rows}])
        result = "'PASS', null" if rows > 30 else "'FAIL', 'too few'"
        pipeline(
            "query",
            f"insert into audit.rule_results values ({values}, 1, 'IsComplete \"id\"', 'PASS', null, json_parse('[]'))",
        )
        pipeline(
            "query",
            f"insert into audit.rule_results values ({values}, 2, 'RowCount > 30', {result}, json_parse('{metrics}'))",
        )

    scores = pipeline("dq", "history").stdout
    assert "█▅" in scores
    assert "RowCount > 30" in scores
    assert "IsComplete" not in scores
    rules = pipeline("dq", "history", "--rule", "rowcount").stdout
    assert "█▁" in rules
    assert "too few" in rules
    (newest,) = json.loads(pipeline("dq", "history", "--dataset", ONE, "--limit", "1", "--output", "json").stdout)
    assert (newest["execution"], newest["score"], len(newest["rules"])) == ("run-31", 0.5, 2)
    assert newest["rules"][1]["metrics"] == [{"name": "Dataset.*.RowCount", "value": 20}]
    assert "No such results" in pipeline("dq", "history", "--rule", "Nothing").stdout
