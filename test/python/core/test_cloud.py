"""The local cloud as a process: one address, one owner of its state, nothing silent, nothing lost."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from running_cloud import ROOT, RunningCloud, wait_for

ROLE = "arn:aws:iam::000000000000:role/test"
WAITING = {"QueryLanguage": "JSONata", "StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 9999, "End": True}}}
TEMPLATE = {
    "Resources": {
        "Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "kept"}},
        "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "kept"}},
        "Table": {
            "Type": "AWS::DynamoDB::Table",
            "Properties": {
                "TableName": "kept",
                "BillingMode": "PAY_PER_REQUEST",
                "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
                "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
            },
        },
        "Database": {
            "Type": "AWS::Glue::Database",
            "Properties": {"CatalogId": {"Ref": "AWS::AccountId"}, "DatabaseInput": {"Name": "kept"}},
        },
    }
}


# Nothing silent ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("service", "operation", "arguments", "message"),
    [
        ("quicksight", "list_users", {"AwsAccountId": "0" * 12, "Namespace": "n"}, "does not serve quicksight"),
        ("athena", "list_work_groups", {}, "does not serve athena"),
        ("glue", "start_trigger", {"Name": "t"}, "does not implement glue:StartTrigger"),
        ("glue", "list_sessions", {}, "ListSessions"),
        ("stepfunctions", "test_state", {"definition": "{}", "roleArn": ROLE}, "does not implement states:TestState"),
    ],
)
def test_what_nothing_implements_is_an_error_that_names_it(
    cloud: RunningCloud, service: str, operation: str, arguments: dict, message: str
) -> None:
    with pytest.raises(ClientError, match=message):
        getattr(cloud.client(service), operation)(**arguments)


# One owner --------------------------------------------------------------------------------------------------------


def test_it_listens_on_this_machine_alone(cloud: RunningCloud) -> None:
    assert cloud.url.startswith("http://127.0.0.1:")
    port = cloud.url.rpartition(":")[2]
    listening = [line.split()[1] for line in Path("/proc/net/tcp").read_text().splitlines()[1:] if " 0A " in line]
    addresses = {entry.partition(":")[0] for entry in listening if int(entry.partition(":")[2], 16) == int(port)}
    assert addresses == {"0100007F"}


def test_a_second_start_on_the_same_state_is_refused(cloud: RunningCloud) -> None:
    second = subprocess.run(
        [sys.executable, "-m", "local", "--state", str(cloud.state)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert second.returncode == 1
    assert cloud.process is not None
    assert f"already runs with the state in {cloud.state} at {cloud.url} (pid {cloud.process.pid})" in second.stderr
    assert json.loads((cloud.state / "endpoint.json").read_text())["url"] == cloud.url


FUNCTION = """
import os
import boto3

def handler(event, context):
    return [boto3.client("s3").list_buckets()["Buckets"][0]["Name"], os.environ.get("SPARK_CONF_DIR")]
"""


def test_a_function_calls_this_cloud_whatever_the_shell_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as shell:
        shell.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        shell.setenv("AWS_PROFILE", "of-a-person")
        shell.setenv("SPARK_CONF_DIR", "of-another-spark")
        cloud = RunningCloud(tmp_path).start()
    try:
        cloud.client("s3").create_bucket(Bucket="of-this-cloud")
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as files:
            files.writestr("index.py", FUNCTION)
        functions = cloud.client("lambda")
        functions.create_function(
            FunctionName="f",
            Runtime="python3.11",
            Role=ROLE,
            Handler="index.handler",
            Code={"ZipFile": archive.getvalue()},
        )
        answer = functions.invoke(FunctionName="f")["Payload"].read()
    finally:
        cloud.stop()
    assert json.loads(answer) == ["of-this-cloud", None]


# Nothing lost -----------------------------------------------------------------------------------------------------


def fill(cloud: RunningCloud) -> tuple[str, str]:
    """Put something into each store; gives the stack's id and the ARN of an execution that runs on."""
    cloudformation, sfn = cloud.client("cloudformation"), cloud.client("stepfunctions")
    stack = cloudformation.create_stack(StackName="kept", TemplateBody=json.dumps(TEMPLATE))["StackId"]
    cloudformation.get_waiter("stack_create_complete").wait(StackName="kept", WaiterConfig={"Delay": 0.2})
    cloud.client("s3").put_object(Bucket="kept", Key="a/b=c/d", Body=b"content", Metadata={"m": "v"})
    cloud.client("s3").put_object(Bucket="kept", Key="a", Body=b"a key that is a folder too")
    cloud.client("sqs").send_message(QueueUrl=queue_url(cloud), MessageBody="message")
    cloud.client("dynamodb").put_item(TableName="kept", Item={"id": {"S": "1"}})
    columns = {"Columns": [{"Name": "c", "Type": "string"}], "Location": "s3://kept/a/"}
    cloud.client("glue").create_table(DatabaseName="kept", TableInput={"Name": "t", "StorageDescriptor": columns})
    machine = sfn.create_state_machine(name="kept", definition=json.dumps(WAITING), roleArn=ROLE)["stateMachineArn"]
    return stack, sfn.start_execution(stateMachineArn=machine, name="running")["executionArn"]


def queue_url(cloud: RunningCloud) -> str:
    return cloud.client("sqs").get_queue_url(QueueName="kept")["QueueUrl"]


def assert_all_is_there(cloud: RunningCloud, stack: str, execution: str) -> None:
    found = cloud.client("cloudformation").describe_stacks(StackName="kept")["Stacks"][0]
    assert (found["StackId"], found["StackStatus"]) == (stack, "CREATE_COMPLETE")
    kept = cloud.client("s3").get_object(Bucket="kept", Key="a/b=c/d")
    assert (kept["Body"].read(), kept["Metadata"]) == (b"content", {"m": "v"})
    assert cloud.client("s3").get_object(Bucket="kept", Key="a")["Body"].read() == b"a key that is a folder too"
    messages = cloud.client("sqs").receive_message(QueueUrl=queue_url(cloud), VisibilityTimeout=0)["Messages"]
    assert [message["Body"] for message in messages] == ["message"]
    assert cloud.client("dynamodb").get_item(TableName="kept", Key={"id": {"S": "1"}})["Item"] == {"id": {"S": "1"}}
    table = cloud.client("glue").get_table(DatabaseName="kept", Name="t")["Table"]
    assert table["StorageDescriptor"]["Location"] == "s3://kept/a/"
    ended = cloud.client("stepfunctions").describe_execution(executionArn=execution)
    assert (ended["status"], ended["error"]) == ("ABORTED", "LocalCloudStopped")
    events = cloud.client("stepfunctions").get_execution_history(executionArn=execution)["events"]
    assert [event["type"] for event in events] == ["ExecutionStarted", "WaitStateEntered", "ExecutionAborted"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_all_state_survives_a_stop(tmp_path: Path, number: int) -> None:
    cloud = RunningCloud(tmp_path / "state").start()
    try:
        stack, execution = fill(cloud)
        if number == signal.SIGKILL:
            wait_for(lambda: saved(cloud, "stepfunctions", "WaitStateEntered"), 20, "the state to be saved")
        before = cloud.url
        code = cloud.stop(number)
        assert code == (0 if number == signal.SIGTERM else -signal.SIGKILL)
        assert (cloud.state / "endpoint.json").exists() == (number == signal.SIGKILL)
        cloud.start()
        assert cloud.url == before
        assert_all_is_there(cloud, stack, execution)
        delete_everything(cloud)
    finally:
        cloud.stop()


def saved(cloud: RunningCloud, service: str, text: str) -> bool:
    path = cloud.state / "ministack" / f"{service}.json"
    return path.exists() and text in path.read_text()


def delete_everything(cloud: RunningCloud) -> None:
    """What was made before a restart can be deleted after it, and stays away after another."""
    cloudformation = cloud.client("cloudformation")
    for key in ("a", "a/b=c/d"):
        cloud.client("s3").delete_object(Bucket="kept", Key=key)
    cloud.client("glue").delete_table(DatabaseName="kept", Name="t")
    cloudformation.delete_stack(StackName="kept")
    cloudformation.get_waiter("stack_delete_complete").wait(StackName="kept", WaiterConfig={"Delay": 0.2})
    cloud.stop()
    cloud.start()
    assert cloud.client("s3").list_buckets()["Buckets"] == []
    assert cloud.client("sqs").list_queues().get("QueueUrls", []) == []
    assert cloud.client("dynamodb").list_tables()["TableNames"] == []
    assert cloud.client("glue").get_databases()["DatabaseList"] == []
