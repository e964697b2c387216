"""Job runs: a job's own script in a process of its own."""

from __future__ import annotations

import os
import uuid
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from glue.support import ROLE, Lake
from running_cloud import RunningCloud, wait_for

pytestmark = pytest.mark.spark

ENDED = ("SUCCEEDED", "FAILED", "STOPPED", "TIMEOUT")
PARQUET = """
import sys
from awsglue.transforms import *
from awsglue.utils import getResolvedOptions
from pyspark.context import SparkContext
from awsglue.context import GlueContext
from awsglue.job import Job
from awsglue import DynamicFrame

args = getResolvedOptions(sys.argv, ["JOB_NAME", "Database", "Bucket"])
sc = SparkContext()
glueContext = GlueContext(sc)
spark = glueContext.spark_session
job = Job(glueContext)
job.init(args["JOB_NAME"], args)

Batch = glueContext.create_dynamic_frame.from_catalog(database=args["Database"], table_name="films")
Distinct = DynamicFrame.fromDF(Batch.toDF().dropDuplicates(), glueContext, "Distinct")
Films = ApplyMapping.apply(
    frame=Distinct,
    mappings=[("id", "string", "film_id", "string"), ("year", "string", "year", "int")],
)
glueContext.write_dynamic_frame.from_options(
    frame=Films,
    connection_type="s3",
    format="glueparquet",
    connection_options={"path": f"s3://{args['Bucket']}/staging/", "partitionKeys": []},
    format_options={"compression": "snappy"},
)
print("temp dir", args["TempDir"])
job.commit()
"""


@pytest.fixture
def lake(cloud: RunningCloud) -> Lake:
    """An empty bucket and an empty database."""
    return Lake(cloud)


def _job(lake: Lake, script: str, **members: Any) -> str:
    name = f"job-{uuid.uuid4().hex[:8]}"
    lake.put(f"scripts/{name}.py", script)
    definition = {
        "Role": ROLE,
        "GlueVersion": "5.1",
        "Command": {"Name": "glueetl", "ScriptLocation": f"s3://{lake.name}/scripts/{name}.py", "PythonVersion": "3"},
        "DefaultArguments": {"--custom-logGroup-prefix": f"/{name}"},
        **members,
    }
    lake.glue.create_job(Name=name, **definition)
    return name


def _run(lake: Lake, job: str, **members: Any) -> dict:
    run_id = lake.glue.start_job_run(JobName=job, **members)["JobRunId"]
    return _wait(lake, job, run_id)


def _wait(lake: Lake, job: str, run_id: str) -> dict:
    def ended() -> dict | None:
        run = lake.glue.get_job_run(JobName=job, RunId=run_id)["JobRun"]
        return run if run["JobRunState"] in ENDED else None

    return wait_for(ended, 120, f"job {job}")


def _log(lake: Lake, group: str, stream: str) -> str:
    events = lake.cloud.client("logs").get_log_events(logGroupName=group, logStreamName=stream)["events"]
    return "\n".join(event["message"] for event in events)


def test_a_script_as_glue_studio_writes_it_runs_on_spark(lake: Lake, spark: Any) -> None:
    lake.csv_table("films", ["id", "title", "year"], {"a.csv": "id,title,year\na,A,1999\na,A,1999\nb,B,\n"})
    arguments = {
        "--Database": lake.name,
        "--Bucket": lake.name,
        "--TempDir": f"s3://{lake.name}/temp/",
        "--custom-logGroup-prefix": f"/{lake.name}",
    }
    job = _job(lake, PARQUET, DefaultArguments=arguments)

    run = _run(lake, job)

    assert run["JobRunState"] == "SUCCEEDED", run.get("ErrorMessage")
    assert run["ExecutionTime"] > 0
    assert run["CompletedOn"] > run["StartedOn"]
    written = spark.read.parquet(f"s3://{lake.name}/staging/")
    assert written.dtypes == [("film_id", "string"), ("year", "int")]
    assert sorted(map(tuple, written.collect())) == [("a", 1999), ("b", None)]
    assert not [key for key in lake.keys("staging/") if "_SUCCESS" in key or "_temporary" in key]
    assert f"temp dir s3://{lake.name}/temp/" in _log(lake, f"/{lake.name}/output", run["Id"])


def test_a_script_knows_what_it_runs_as(lake: Lake) -> None:
    job = _job(lake, "import sys; print(sys.argv[1:])", DefaultArguments={"--a": "1", "--b": "2", "--flag": ""})

    run = _run(lake, job, Arguments={"--b": "3"})

    assert run["JobRunState"] == "SUCCEEDED"
    assert run["Arguments"] == {"--b": "3"}
    expected = ["--a", "1", "--b", "3", "--flag", "--JOB_NAME", job, "--JOB_RUN_ID", run["Id"]]
    assert _log(lake, "/aws-glue/jobs/output", run["Id"]) == str(expected)


def test_a_failed_script_tells_its_exception(lake: Lake) -> None:
    job = _job(lake, "print('begin')\nraise ValueError('no film has an id')\n")

    run = _run(lake, job)

    assert (run["JobRunState"], run["ErrorMessage"]) == ("FAILED", "ValueError: no film has an id")
    assert _log(lake, f"/{job}/output", run["Id"]) == "begin"
    assert "ValueError: no film has an id" in _log(lake, f"/{job}/error", run["Id"])


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("import sys; sys.exit(3)", "SystemExit: 3"),
        ("import os; os._exit(7)", "Command failed with exit code 7"),
        ("from awsglue.utils import getResolvedOptions; getResolvedOptions(['x'], ['Bucket'])",
         "GlueArgumentError: the following arguments are required: --Bucket"),
    ],
)  # fmt: skip
def test_ways_to_fail(lake: Lake, script: str, message: str) -> None:
    run = _run(lake, _job(lake, script))

    assert (run["JobRunState"], run["ErrorMessage"]) == ("FAILED", message)


def test_a_script_that_is_not_there(lake: Lake) -> None:
    job = _job(lake, "")
    lake.s3.delete_object(Bucket=lake.name, Key=f"scripts/{job}.py")

    run = _run(lake, job)

    assert run["JobRunState"] == "FAILED"
    assert run["ErrorMessage"].startswith(f"LAUNCH ERROR | File s3://{lake.name}/scripts/{job}.py")


def test_concurrent_runs_are_limited_and_a_run_can_be_stopped(lake: Lake, tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    script = f"import os, pathlib, threading\npathlib.Path({str(pid)!r}).write_text(str(os.getpid()))\n"
    job = _job(lake, script + "threading.Event().wait()\n")
    run_id = lake.glue.start_job_run(JobName=job)["JobRunId"]
    with pytest.raises(lake.glue.exceptions.ConcurrentRunsExceededException):
        lake.glue.start_job_run(JobName=job)
    wait_for(lambda: pid.exists() and pid.read_text(), 60, "the script")

    answer = lake.glue.batch_stop_job_run(JobName=job, JobRunIds=[run_id, "absent"])

    assert [item["JobRunId"] for item in answer["SuccessfulSubmissions"]] == [run_id]
    assert [error["ErrorDetail"]["ErrorCode"] for error in answer["Errors"]] == ["EntityNotFoundException"]
    assert _wait(lake, job, run_id)["JobRunState"] == "STOPPED"
    assert not _alive(int(pid.read_text()))


def test_a_stopped_cloud_ends_its_jobs(tmp_path: Path) -> None:
    for number in (15, 9):
        state, pid = tmp_path / f"state-{number}", tmp_path / f"pid-{number}"
        running = RunningCloud(state).start()
        lake = Lake(running)
        script = f"import os, pathlib, threading\npathlib.Path({str(pid)!r}).write_text(str(os.getpid()))\n"
        job = _job(lake, script + "threading.Event().wait()\n")
        run_id = lake.glue.start_job_run(JobName=job)["JobRunId"]
        wait_for(lambda pid=pid: pid.exists() and pid.read_text(), 60, "the script")
        saved = state / "stores" / "glue-job-runs.json"
        wait_for(lambda saved=saved, run_id=run_id: saved.exists() and run_id in saved.read_text(), 30, "a save")

        running.stop(number)

        wait_for(lambda pid=pid: not _alive(int(pid.read_text())), 30, "the script's end")
        running.start()
        try:
            run = running.client("glue").get_job_run(JobName=job, RunId=run_id)["JobRun"]
            assert run["JobRunState"] == "FAILED"
            assert "local cloud" in run["ErrorMessage"]
        finally:
            running.stop()


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z" if Path("/proc").exists() else True


def test_a_run_that_takes_too_long_is_ended(lake: Lake, tmp_path: Path) -> None:
    from local.glue_jobs import JobProcess

    lake.put("scripts/endless.py", "import threading; print('begin', flush=True); threading.Event().wait()")
    job = {"Command": {"ScriptLocation": f"s3://{lake.name}/scripts/endless.py"}}
    # The API counts in whole minutes.
    run = {"Id": f"jr_{lake.name}", "JobName": "endless", "StartedOn": 0, "JobRunState": "STARTING", "Timeout": 0.05}
    here: Any = SimpleNamespace(client=lake.cloud.client, url=lake.cloud.url, state_dir=tmp_path)

    JobProcess(here, job, run, {}).execute()

    message = "The job ran longer than its timeout of 0.05 minutes"
    assert (run["JobRunState"], run["ErrorMessage"]) == ("TIMEOUT", message)


def test_what_would_not_run_as_on_aws_is_refused(lake: Lake) -> None:
    for members in (
        {"GlueVersion": "4.0"},
        {"MaxRetries": 1},
        {"DefaultArguments": {"--extra-jars": "s3://bucket/x.jar"}},
        {"Command": {"Name": "pythonshell", "ScriptLocation": "s3://bucket/x.py"}},
    ):
        with pytest.raises(ClientError, match="the local cloud"):
            lake.glue.start_job_run(JobName=_job(lake, "", **members))


def test_an_update_replaces_the_job(lake: Lake) -> None:
    job = _job(lake, "", Timeout=5)
    command = {"Name": "glueetl", "ScriptLocation": "s3://bucket/other.py"}

    lake.glue.update_job(JobName=job, JobUpdate={"Role": ROLE, "Command": command, "GlueVersion": "5.1"})

    updated = lake.glue.get_job(JobName=job)["Job"]
    assert (updated["Command"], updated["DefaultArguments"], updated["Timeout"]) == (command, {}, 480)


def test_runs_are_listed_newest_first(lake: Lake) -> None:
    job = _job(lake, "print(1)")
    runs = [_run(lake, job)["Id"], _run(lake, job)["Id"]]

    assert [run["Id"] for run in lake.glue.get_job_runs(JobName=job)["JobRuns"]] == runs[::-1]
    with pytest.raises(lake.glue.exceptions.EntityNotFoundException):
        lake.glue.get_job_run(JobName=job, RunId="absent")
