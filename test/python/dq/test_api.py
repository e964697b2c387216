"""The Glue Data Quality API of the local cloud, with rulesets really evaluated on catalog tables."""

from __future__ import annotations

import json
import os
import signal
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from running_cloud import RunningCloud, wait_for

pytestmark = pytest.mark.spark

ROLE = "arn:aws:iam::000000000000:role/gate"
GATE = 'Rules = [ RowCount > 1, IsComplete "name", ColumnValues "name" matches "[a-z]+" with threshold > 0.5 ]'
RUN_SECONDS = 120


class Table:
    """A batch table of CSV text with two partitions, in a database and a bucket of its own."""

    def __init__(self, cloud: RunningCloud) -> None:
        self.bucket = self.database = f"gate-{uuid.uuid4().hex[:8]}"
        self.glue, self.s3 = cloud.client("glue"), cloud.client("s3")
        self.s3.create_bucket(Bucket=self.bucket)
        self.glue.create_database(DatabaseInput={"Name": self.database})
        storage = self._storage("")
        self.glue.create_table(
            DatabaseName=self.database,
            TableInput={
                "Name": "batch",
                "StorageDescriptor": storage,
                "PartitionKeys": [{"Name": "day", "Type": "string"}],
                "Parameters": {"classification": "csv", "skip.header.line.count": "1"},
            },
        )

    def put(self, day: str, text: str) -> None:
        """Add a partition of one file."""
        self.s3.put_object(Bucket=self.bucket, Key=f"data/day={day}/part.csv", Body=text.encode())
        self.glue.create_partition(
            DatabaseName=self.database,
            TableName="batch",
            PartitionInput={"Values": [day], "StorageDescriptor": self._storage(f"day={day}/")},
        )

    def _storage(self, folder: str) -> dict[str, Any]:
        return {
            "Columns": [{"Name": "name", "Type": "string"}, {"Name": "number", "Type": "string"}],
            "Location": f"s3://{self.bucket}/data/{folder}",
            "SerdeInfo": {
                "SerializationLibrary": "org.apache.hadoop.hive.serde2.OpenCSVSerde",
                "Parameters": {"separatorChar": ",", "quoteChar": '"', "escapeChar": "\\"},
            },
        }

    def source(self, **options: str) -> dict[str, Any]:
        """The table as a DataSource."""
        table: dict[str, Any] = {"DatabaseName": self.database, "TableName": "batch"}
        return {"GlueTable": table | ({"AdditionalOptions": options} if options else {})}


@pytest.fixture(scope="module")
def table(cloud: RunningCloud) -> Table:
    made = Table(cloud)
    made.put("1", "name,number\nann,1\n,2\nBob\n")
    made.put("2", "name,number\ncid,3\n")
    return made


@pytest.fixture
def ruleset(cloud: RunningCloud) -> Any:
    """Creates rulesets of unique names: `ruleset(text)` gives the name."""

    def create(text: str, **more: Any) -> str:
        name = f"rules-{uuid.uuid4().hex[:8]}"
        cloud.client("glue").create_data_quality_ruleset(Name=name, Ruleset=text, **more)
        return name

    return create


def run(cloud: RunningCloud, source: dict[str, Any], *names: str, **more: Any) -> dict[str, Any]:
    """Start an evaluation run and wait for its end."""
    glue = cloud.client("glue")
    run_id = glue.start_data_quality_ruleset_evaluation_run(
        DataSource=source, Role=ROLE, RulesetNames=list(names), **more
    )["RunId"]

    def ended() -> dict[str, Any] | None:
        found = glue.get_data_quality_ruleset_evaluation_run(RunId=run_id)
        return found if found["Status"] not in ("STARTING", "RUNNING", "STOPPING") else None

    return wait_for(ended, RUN_SECONDS, "the evaluation run to end")


def code(caught: pytest.ExceptionInfo[ClientError]) -> str:
    return caught.value.response["Error"]["Code"]


def test_a_ruleset_is_stored_changed_listed_and_deleted(cloud: RunningCloud) -> None:
    glue, name = cloud.client("glue"), f"rules-{uuid.uuid4().hex[:8]}"
    glue.create_data_quality_ruleset(Name=name, Ruleset=GATE, Description="first", Tags={"a": "b"})
    with pytest.raises(ClientError) as again:
        glue.create_data_quality_ruleset(Name=name, Ruleset=GATE)
    assert code(again) == "AlreadyExistsException"

    glue.update_data_quality_ruleset(Name=name, Ruleset="Rules = [ RowCount > 2 ]")
    found = glue.get_data_quality_ruleset(Name=name)
    assert (found["Ruleset"], found["Description"]) == ("Rules = [ RowCount > 2 ]", "first")
    assert abs((datetime.now(UTC) - found["LastModifiedOn"]).total_seconds()) < 60
    (listed,) = glue.list_data_quality_rulesets(Filter={"Name": name})["Rulesets"]
    assert listed["RuleCount"] == 1

    glue.delete_data_quality_ruleset(Name=name)
    with pytest.raises(ClientError) as gone:
        glue.get_data_quality_ruleset(Name=name)
    assert code(gone) == "EntityNotFoundException"


def test_lists_come_in_pages(cloud: RunningCloud, ruleset: Any) -> None:
    made = {ruleset("Rules = [ RowCount > 2 ]", Description="page") for _ in range(3)}
    asked = {"Filter": {"Description": "page"}, "MaxResults": 2}
    first = cloud.client("glue").list_data_quality_rulesets(**asked)
    second = cloud.client("glue").list_data_quality_rulesets(**asked, NextToken=first["NextToken"])
    assert {each["Name"] for each in first["Rulesets"] + second["Rulesets"]} == made
    assert "NextToken" not in second


def test_a_ruleset_that_is_no_dqdl_is_refused_with_its_place(cloud: RunningCloud) -> None:
    with pytest.raises(ClientError, match="line 2, column") as refused:
        cloud.client("glue").create_data_quality_ruleset(Name="bad", Ruleset='Rules = [\n IsComplete name" ]')
    assert code(refused) == "InvalidInputException"
    with pytest.raises(ClientError) as long:
        cloud.client("glue").create_data_quality_ruleset(Name="bad", Ruleset="#" * 65_537)
    assert code(long) == "InvalidInputException"


def test_a_run_gives_a_result_for_each_ruleset(cloud: RunningCloud, table: Table, ruleset: Any) -> None:
    gate, count = ruleset(GATE), ruleset('Rules = [ RowCount = 4 ]\nAnalyzers = [ Completeness "number" ]')
    ended = run(
        cloud,
        table.source(),
        gate,
        count,
        NumberOfWorkers=2,
        Timeout=5,
        AdditionalRunOptions={"ResultsS3Prefix": f"s3://{table.bucket}/results/"},
    )
    assert ended["Status"] == "SUCCEEDED", ended
    assert ended["CompletedOn"] >= ended["StartedOn"]
    first, second = (cloud.client("glue").get_data_quality_result(ResultId=each) for each in ended["ResultIds"])

    assert (first["RulesetName"], first["RulesetEvaluationRunId"]) == (gate, ended["RunId"])
    assert first["DataSource"] == table.source()
    # A blank is no NULL and "Bob" has a capital: two of four names match.
    assert [each["Result"] for each in first["RuleResults"]] == ["PASS", "PASS", "FAIL"]
    assert first["Score"] == pytest.approx(2 / 3)
    rule = first["RuleResults"][2]
    assert rule["Name"] == "Rule_3"
    assert rule["Description"] == 'ColumnValues "name" matches "[a-z]+" with threshold > 0.5'
    assert rule["EvaluationMessage"] == "Value: 0.5 does not meet the constraint requirement!"
    assert first["RuleResults"][0]["EvaluatedMetrics"] == {"Dataset.*.RowCount": 4}

    # "Bob" has no second field, which is NULL.
    (analyzer,) = second["AnalyzerResults"]
    assert analyzer["EvaluatedMetrics"] == {"Column.number.Completeness": 0.75}
    written = table.s3.get_object(Bucket=table.bucket, Key=f"results/{first['ResultId']}.json")["Body"].read()
    assert json.loads(written)["RuleResults"][2]["Result"] == "FAIL"
    found = cloud.client("glue").batch_get_data_quality_result(ResultIds=[*ended["ResultIds"], "dqresult-none"])
    assert (len(found["Results"]), found["ResultsNotFound"]) == (2, ["dqresult-none"])


def test_a_run_reads_the_partitions_of_its_predicate(cloud: RunningCloud, table: Table, ruleset: Any) -> None:
    ended = run(cloud, table.source(pushDownPredicate="day = '2'"), ruleset("Rules = [ RowCount = 1 ]"))
    result = cloud.client("glue").get_data_quality_result(ResultId=ended["ResultIds"][0])
    assert result["Score"] == 1


def test_a_run_refers_to_other_tables(cloud: RunningCloud, table: Table, ruleset: Any) -> None:
    rules = 'Rules = [ ReferentialIntegrity "name" "known.name" = 0.25 ]'
    known = table.source(pushDownPredicate="day = '2'")
    ended = run(cloud, table.source(), ruleset(rules), AdditionalDataSources={"known": known})
    (rule,) = cloud.client("glue").get_data_quality_result(ResultId=ended["ResultIds"][0])["RuleResults"]
    assert (rule["Result"], rule["EvaluatedMetrics"]) == ("PASS", {"Column.known.ReferentialIntegrity": 0.25})


def test_a_run_that_cannot_be_started(cloud: RunningCloud, table: Table, ruleset: Any) -> None:
    start, name = cloud.client("glue").start_data_quality_ruleset_evaluation_run, ruleset(GATE)
    with pytest.raises(ClientError) as unknown:
        start(DataSource=table.source(), Role=ROLE, RulesetNames=["no such ruleset"])
    assert code(unknown) == "EntityNotFoundException"
    with pytest.raises(ClientError, match="nonsense") as option:
        start(DataSource=table.source(nonsense="x"), Role=ROLE, RulesetNames=[name])
    assert code(option) == "InvalidInputException"


def test_a_run_on_an_unknown_table_fails_and_says_so(cloud: RunningCloud, table: Table, ruleset: Any) -> None:
    source = {"GlueTable": {"DatabaseName": table.database, "TableName": "nowhere"}}
    ended = run(cloud, source, ruleset(GATE))
    assert ended["Status"] == "FAILED"
    assert "nowhere" in ended["ErrorString"]


def test_dynamic_rules_are_for_jobs_only(cloud: RunningCloud, table: Table, ruleset: Any) -> None:
    ended = run(cloud, table.source(), ruleset("Rules = [ RowCount > avg(last(3)) * 0.5 ]"))
    assert ended["Status"] == "FAILED"
    assert "RowCount > avg(last(3)) * 0.5" in ended["ErrorString"]


def test_anomalies_are_for_jobs_only(cloud: RunningCloud, table: Table, ruleset: Any) -> None:
    ended = run(cloud, table.source(), ruleset('Rules = [ RowCount > 0, DetectAnomalies "RowCount" ]'))
    assert (ended["Status"], 'DetectAnomalies "RowCount"' in ended["ErrorString"]) == ("FAILED", True)


def test_the_same_token_starts_one_run(cloud: RunningCloud, table: Table, ruleset: Any) -> None:
    glue, name, token = cloud.client("glue"), ruleset("Rules = [ RowCount > 0 ]"), uuid.uuid4().hex
    asked = {"DataSource": table.source(), "Role": ROLE, "ClientToken": token}
    first = glue.start_data_quality_ruleset_evaluation_run(**asked, RulesetNames=[name])
    assert glue.start_data_quality_ruleset_evaluation_run(**asked, RulesetNames=[name])["RunId"] == first["RunId"]
    with pytest.raises(ClientError):
        glue.start_data_quality_ruleset_evaluation_run(**asked, RulesetNames=[name, name])


def test_a_run_is_cancelled_while_it_waits_or_runs(cloud: RunningCloud, table: Table, ruleset: Any) -> None:
    glue, name = cloud.client("glue"), ruleset(GATE)
    asked = {"DataSource": table.source(), "Role": ROLE, "RulesetNames": [name]}
    first, second = (glue.start_data_quality_ruleset_evaluation_run(**asked)["RunId"] for _ in range(2))
    glue.cancel_data_quality_ruleset_evaluation_run(RunId=second)
    glue.cancel_data_quality_ruleset_evaluation_run(RunId=first)
    for run_id in (first, second):
        assert glue.get_data_quality_ruleset_evaluation_run(RunId=run_id)["Status"] == "STOPPED"
    assert run(cloud, table.source(), name)["Status"] == "SUCCEEDED"


def test_a_dead_process_fails_its_run_and_the_next_one_works(cloud: RunningCloud, table: Table, ruleset: Any) -> None:
    glue, name = cloud.client("glue"), ruleset(GATE)
    assert run(cloud, table.source(), name)["Status"] == "SUCCEEDED"
    run_id = glue.start_data_quality_ruleset_evaluation_run(DataSource=table.source(), Role=ROLE, RulesetNames=[name])[
        "RunId"
    ]
    get = glue.get_data_quality_ruleset_evaluation_run
    wait_for(lambda: get(RunId=run_id)["Status"] == "RUNNING", 60, "the run to be running")
    os.kill(evaluator(cloud), signal.SIGKILL)
    wait_for(lambda: get(RunId=run_id)["Status"] == "FAILED", 60, "the run to fail")
    assert "process ended" in get(RunId=run_id)["ErrorString"]
    assert run(cloud, table.source(), name)["Status"] == "SUCCEEDED"


def evaluator(cloud: RunningCloud) -> int:
    """The process id of the cloud's data quality process: the child of the cloud that runs local.dq.server."""
    assert cloud.process is not None
    children = Path(f"/proc/{cloud.process.pid}/task").glob("*/children")
    for child in (int(pid) for path in children for pid in path.read_text().split()):
        if b"local.dq.server" in Path(f"/proc/{child}/cmdline").read_bytes():
            return child
    pytest.fail("no data quality process")


def test_rulesets_of_a_stack(cloud: RunningCloud) -> None:
    cloudformation, glue = cloud.client("cloudformation"), cloud.client("glue")
    stack = name = f"stack-{uuid.uuid4().hex[:8]}"

    def template(ruleset: str) -> str:
        properties = {"Name": name, "Ruleset": ruleset}
        return json.dumps({"Resources": {"Gate": {"Type": "AWS::Glue::DataQualityRuleset", "Properties": properties}}})

    cloudformation.create_stack(StackName=stack, TemplateBody=template(GATE))
    cloudformation.get_waiter("stack_create_complete").wait(StackName=stack, WaiterConfig={"Delay": 1})
    assert glue.get_data_quality_ruleset(Name=name)["Ruleset"] == GATE
    cloudformation.update_stack(StackName=stack, TemplateBody=template("Rules = [ RowCount > 2 ]"))
    cloudformation.get_waiter("stack_update_complete").wait(StackName=stack, WaiterConfig={"Delay": 1})
    assert glue.get_data_quality_ruleset(Name=name)["Ruleset"] == "Rules = [ RowCount > 2 ]"
    cloudformation.delete_stack(StackName=stack)
    cloudformation.get_waiter("stack_delete_complete").wait(StackName=stack, WaiterConfig={"Delay": 1})
    assert glue.list_data_quality_rulesets(Filter={"Name": name})["Rulesets"] == []


def test_a_stack_with_a_ruleset_that_is_no_dqdl_fails(cloud: RunningCloud) -> None:
    cloudformation, stack = cloud.client("cloudformation"), f"stack-{uuid.uuid4().hex[:8]}"
    properties = {"Name": stack, "Ruleset": "Rules = [ RowCount >> 2 ]"}
    body = {"Resources": {"Gate": {"Type": "AWS::Glue::DataQualityRuleset", "Properties": properties}}}
    cloudformation.create_stack(StackName=stack, TemplateBody=json.dumps(body))

    def failed() -> list[str]:
        events = cloudformation.describe_stack_events(StackName=stack)["StackEvents"]
        return [event.get("ResourceStatusReason", "") for event in events if event["ResourceStatus"] == "CREATE_FAILED"]

    assert "line 1, column" in " ".join(wait_for(failed, 60, "the stack to fail"))
