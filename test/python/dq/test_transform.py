"""EvaluateDataQuality as jobs use it, and the results that jobs publish."""

from __future__ import annotations

import sys
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from glue.support import ROLE, Lake
from running_cloud import RunningCloud, wait_for

pytestmark = pytest.mark.spark

RULES = 'Rules = [ RowCount > 0, IsComplete "text" labels=["team"="films"], FileSize "s3://bucket/" > 2 MB ]'
RUN_SECONDS = 120
PUBLISH = {"dataQualityEvaluationContext": "rows", "enableDataQualityResultsPublishing": True}


@pytest.fixture
def primary(datasets: dict[str, Any]) -> Any:
    """The primary dataset as a DynamicFrame."""
    from awsglue.context import GlueContext
    from awsglue.dynamicframe import DynamicFrame

    data = datasets["primary"]
    return DynamicFrame.fromDF(data, GlueContext(data.sparkSession.sparkContext), "primary")


def other(datasets: dict[str, Any], primary: Any) -> Any:
    return type(primary).fromDF(datasets["other"], primary.glue_ctx, "other")


@pytest.fixture
def job_run(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The arguments that tell a job's script which run it is."""
    run = {"JobName": f"job-{uuid.uuid4().hex[:8]}", "JobRunId": f"jr_{uuid.uuid4().hex}"}
    monkeypatch.setattr(sys, "argv", ["script.py", "--JOB_NAME", run["JobName"], f"--JOB_RUN_ID={run['JobRunId']}"])
    return run


def test_the_collection_has_outcomes_rows_and_data(primary: Any) -> None:
    from awsglue.transforms import SelectFromCollection
    from awsgluedq.transforms import EvaluateDataQuality

    found = EvaluateDataQuality().process_rows(frame=primary, ruleset=RULES)
    assert set(found.keys()) == {"originalData", "ruleOutcomes", "rowLevelOutcomes"}
    rows = SelectFromCollection.apply(dfc=found, key="rowLevelOutcomes").toDF()
    assert {row["id"] for row in rows.where("DataQualityEvaluationResult = 'Failed'").collect()} == {"d"}
    assert found["originalData"].toDF().columns == primary.toDF().columns
    outcomes = found["ruleOutcomes"].toDF()
    assert outcomes.columns == ["Rule", "Outcome", "FailureReason", "EvaluatedMetrics", "EvaluatedRule"]
    assert [(row["Rule"], row["Outcome"]) for row in outcomes.collect()] == [
        ("RowCount > 0", "Passed"),
        ('IsComplete "text"', "Failed"),
        ('FileSize "s3://bucket/" > 2 MB', "Failed"),
    ]
    assert outcomes.collect()[0]["EvaluatedMetrics"] == {"Dataset.*.RowCount": 6}


def test_apply_gives_the_outcomes_alone(primary: Any) -> None:
    from awsgluedq.transforms import EvaluateDataQuality

    outcomes = EvaluateDataQuality.apply(frame=primary, ruleset='Rules = [ IsUnique "id" ]', publishing_options={})
    assert [row["Outcome"] for row in outcomes.toDF().collect()] == ["Passed"]


def test_further_frames_come_by_alias(datasets: dict[str, Any], primary: Any) -> None:
    from awsgluedq.transforms import EvaluateDataQuality

    rules = 'Rules = [ ReferentialIntegrity "text" "words.word" = 0.5 ]'
    words = other(datasets, primary)
    for arguments in (
        {"frame": primary, "additional_data_sources": {"words": words}},
        {"frame": {"films": primary, "words": words}},
    ):
        found = EvaluateDataQuality().process_rows(ruleset=rules, **arguments)
        assert [row["Outcome"] for row in found["ruleOutcomes"].toDF().collect()] == ["Passed"]


def test_composite_rules_are_joined_by_row_on_request(primary: Any) -> None:
    from awsgluedq.transforms import EvaluateDataQuality

    rules = 'Rules = [ (ColumnValues "number" != 5) or (ColumnValues "text" matches "[a-z]+") ]'
    options = {"compositeRuleEvaluation.method": "ROW"}
    found = EvaluateDataQuality().process_rows(frame=primary, ruleset=rules, additional_options=options)
    assert [row["Outcome"] for row in found["ruleOutcomes"].toDF().collect()] == ["Passed"]


def test_a_job_publishes_its_result(cloud: RunningCloud, primary: Any, job_run: dict[str, str]) -> None:
    from awsgluedq.transforms import EvaluateDataQuality

    before = datetime.now(UTC) - timedelta(minutes=1)
    EvaluateDataQuality().process_rows(frame=primary, ruleset=RULES, publishing_options=PUBLISH)
    glue = cloud.client("glue")
    (listed,) = glue.list_data_quality_results(Filter={**job_run, "StartedAfter": before})["Results"]
    assert {key: listed[key] for key in job_run} == job_run
    result = glue.get_data_quality_result(ResultId=listed["ResultId"])
    assert result["EvaluationContext"] == "rows"
    assert result["Score"] == pytest.approx(1 / 3)
    assert [rule["Result"] for rule in result["RuleResults"]] == ["PASS", "FAIL", "ERROR"]
    assert result["RuleResults"][0]["EvaluatedMetrics"] == {"Dataset.*.RowCount": 6}
    assert [rule.get("Labels") for rule in result["RuleResults"]] == [None, {"team": "films"}, None]
    late = datetime.now(UTC) + timedelta(minutes=1)
    assert glue.list_data_quality_results(Filter={**job_run, "StartedAfter": late})["Results"] == []


def test_rules_look_back_at_the_jobs_earlier_results(
    cloud: RunningCloud, primary: Any, job_run: dict[str, str]
) -> None:
    from awsgluedq.transforms import EvaluateDataQuality

    rules = 'Rules = [ RowCount >= avg(last(2)), DetectAnomalies "RowCount" ]'

    def outcomes(context: str) -> list[tuple[str, str]]:
        options = {**PUBLISH, "dataQualityEvaluationContext": context}
        found = EvaluateDataQuality().process_rows(frame=primary, ruleset=rules, publishing_options=options)
        return [(row["Outcome"], row["EvaluatedRule"]) for row in found["ruleOutcomes"].toDF().collect()]

    assert outcomes("one")[0] == ("Passed", "RowCount >= 0")  # nothing to look back at
    assert outcomes("one") == [("Passed", "RowCount >= 6"), ("Passed", 'DetectAnomalies "RowCount"')]
    assert outcomes("other")[0] == ("Passed", "RowCount >= 0")  # another context has a history of its own

    glue = cloud.client("glue")
    listed = glue.list_data_quality_results(Filter={**job_run})["Results"]
    assert len(listed) == 3
    results = [glue.get_data_quality_result(ResultId=each["ResultId"])["RuleResults"] for each in listed]
    assert sorted(rules[0]["EvaluatedRule"] for rules in results) == [
        "RowCount >= 0",
        "RowCount >= 0",
        "RowCount >= 6",
    ]


SCRIPT = """
import sys
from awsglue.context import GlueContext
from awsglue.utils import getResolvedOptions
from awsgluedq.transforms import EvaluateDataQuality
from pyspark.context import SparkContext

args = getResolvedOptions(sys.argv, ["JOB_NAME", "Bucket"])
glueContext = GlueContext(SparkContext())
films = glueContext.create_dynamic_frame.from_options(
    connection_type="s3",
    format="csv",
    connection_options={"paths": [f"s3://{args['Bucket']}/raw/"]},
    format_options={"withHeader": True},
)
EvaluateDataQuality().process_rows(
    frame=films,
    ruleset='Rules = [ RowCount >= avg(last(5)), DetectAnomalies "RowCount" ]',
    publishing_options={"dataQualityEvaluationContext": "rows", "enableDataQualityResultsPublishing": True},
)
"""


def test_runs_of_a_job_look_back_at_one_another(cloud: RunningCloud) -> None:
    lake, job = Lake(cloud), f"job-{uuid.uuid4().hex[:8]}"
    lake.put("scripts/job.py", SCRIPT)
    command = {"Name": "glueetl", "ScriptLocation": f"s3://{lake.name}/scripts/job.py", "PythonVersion": "3"}
    lake.glue.create_job(
        Name=job, Role=ROLE, GlueVersion="5.1", Command=command, DefaultArguments={"--Bucket": lake.name}
    )

    def rules(films: str) -> list[tuple[str, str]]:
        lake.put("raw/films.csv", films)
        run = lake.glue.start_job_run(JobName=job)["JobRunId"]

        def ended() -> bool:
            state = lake.glue.get_job_run(JobName=job, RunId=run)["JobRun"]["JobRunState"]
            assert state not in ("FAILED", "TIMEOUT", "STOPPED")
            return state == "SUCCEEDED"

        wait_for(ended, RUN_SECONDS, "the job run to end")
        (listed,) = lake.glue.list_data_quality_results(Filter={"JobName": job, "JobRunId": run})["Results"]
        results = lake.glue.get_data_quality_result(ResultId=listed["ResultId"])["RuleResults"]
        return [(each["EvaluatedRule"], each["Result"]) for each in results]

    assert rules("id\n1\n2\n3\n")[0] == ("RowCount >= 0", "PASS")
    assert rules("id\n1\n2\n") == [("RowCount >= 3", "FAIL"), ('DetectAnomalies "RowCount"', "PASS")]


def test_a_result_that_cannot_be_published_fails_the_job(
    primary: Any, job_run: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from awsgluedq.publish import PublishError
    from awsgluedq.transforms import EvaluateDataQuality

    # Nothing listens on the discard port.
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(PublishError, match=r"127\.0\.0\.1:9"):
        EvaluateDataQuality().process_rows(frame=primary, ruleset=RULES, publishing_options=PUBLISH)
    monkeypatch.setattr(sys, "argv", ["script.py"])
    with pytest.raises(PublishError, match="JOB_NAME"):
        EvaluateDataQuality().process_rows(frame=primary, ruleset=RULES, publishing_options=PUBLISH)
