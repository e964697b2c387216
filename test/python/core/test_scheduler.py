"""EventBridge Scheduler: a due schedule starts its state machine."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from running_cloud import RunningCloud, wait_for

ROLE = "arn:aws:iam::000000000000:role/test"


def create_schedule(cloud: RunningCloud, name: str, target: str, **fields: Any) -> datetime:
    """A schedule that is due now."""
    due = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=1)
    cloud.client("scheduler").create_schedule(
        Name=name,
        ScheduleExpression=f"at({due:%Y-%m-%dT%H:%M:%S})",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={
            "Arn": target,
            "RoleArn": ROLE,
            "Input": '{"scheduled_time": "<aws.scheduler.scheduled-time>"}',
            **fields,
        },
    )
    return due


def test_a_due_schedule_starts_an_execution(cloud: RunningCloud) -> None:
    sfn = cloud.client("stepfunctions")
    definition = {"QueryLanguage": "JSONata", "StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}}
    machine = sfn.create_state_machine(name="scheduled", definition=json.dumps(definition), roleArn=ROLE)
    due = create_schedule(cloud, "once", machine["stateMachineArn"])

    def execution() -> dict | None:
        found = sfn.list_executions(stateMachineArn=machine["stateMachineArn"], statusFilter="SUCCEEDED")
        return next(iter(found["executions"]), None)

    started = wait_for(execution, 20, "the scheduled execution")
    given = json.loads(sfn.describe_execution(executionArn=started["executionArn"])["input"])
    assert abs(datetime.fromisoformat(given["scheduled_time"]) - due) < timedelta(seconds=20)


def test_a_target_that_is_gone_leaves_a_message(cloud: RunningCloud) -> None:
    sqs = cloud.client("sqs")
    queue = sqs.create_queue(QueueName="missed")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    absent = "arn:aws:states:us-east-1:000000000000:stateMachine:absent"
    create_schedule(cloud, "missed", absent, DeadLetterConfig={"Arn": arn})

    def message() -> dict | None:
        found = sqs.receive_message(QueueUrl=queue, MessageAttributeNames=["All"]).get("Messages", [])
        return next(iter(found), None)

    found = wait_for(message, 20, "the message")
    assert "scheduled_time" in found["Body"]
    assert "StateMachineDoesNotExist" in found["MessageAttributes"]["ERROR_MESSAGE"]["StringValue"]
