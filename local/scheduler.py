"""EventBridge Scheduler: schedules of stacks, and what happens when one is due.

ministack keeps the schedules and decides when one is due. It passes a target's input on as it stands; here the
scheduler's own words in it are replaced and a target that cannot be called goes to the dead-letter queue.
https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html
"""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError
from ministack.services import eventbridge, scheduler
from ministack.services.cloudformation import provisioners

from local.cloud import Cloud

LOOK_EVERY_SECONDS = 1
MEMBERS = {
    "Description",
    "EndDate",
    "FlexibleTimeWindow",
    "GroupName",
    "KmsKeyArn",
    "ScheduleExpression",
    "ScheduleExpressionTimezone",
    "StartDate",
    "State",
    "Target",
}


def install(cloud: Cloud) -> None:
    """Add the schedule type and call the targets of schedules here."""
    scheduler._SCHEDULE_TICK_INTERVAL = LOOK_EVERY_SECONDS
    schedules = Schedules(cloud)
    cloud.resource("AWS::Scheduler::Schedule", schedules.create, schedules.update, schedules.delete)
    invoke = eventbridge._invoke_target

    def invoke_target(target: dict, event: dict, rule: dict) -> Any:
        if event.get("Source") != "aws.scheduler":
            return invoke(target, event, rule)
        return call_target(cloud, target, event)

    eventbridge._invoke_target = invoke_target


class Schedules:
    """AWS::Scheduler::Schedule."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud

    def create(self, logical_id: str, properties: dict, stack: str) -> tuple[str, dict]:
        """Create the schedule."""
        name = properties.get("Name") or provisioners._physical_name(stack, logical_id, max_len=64)
        answer = self.cloud.client("scheduler").create_schedule(Name=name, **_members(properties))
        return name, {"Arn": answer["ScheduleArn"]}

    def update(self, name: str, _old: dict, new: dict, _stack: str) -> tuple[str, dict]:
        """Replace the whole definition, as UpdateSchedule does."""
        if new.get("Name", name) != name:
            raise ValueError(f"the local cloud cannot rename the schedule {name}; delete the stack and deploy anew")
        answer = self.cloud.client("scheduler").update_schedule(Name=name, **_members(new))
        return name, {"Arn": answer["ScheduleArn"]}

    def delete(self, name: str, properties: dict) -> None:
        """Delete it; what is gone already is no error."""
        group = {key: properties[key] for key in ("GroupName",) if key in properties}
        try:
            self.cloud.client("scheduler").delete_schedule(Name=name, **group)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise


def _members(properties: dict) -> dict:
    if unknown := properties.keys() - MEMBERS - {"Name"}:
        raise ValueError(f"the local cloud does not implement AWS::Scheduler::Schedule {', '.join(sorted(unknown))}")
    if properties.get("ScheduleExpressionTimezone", "UTC") != "UTC" and properties.get("State") != "DISABLED":
        raise ValueError("the local cloud runs schedules in UTC only; disable the schedule or set its timezone to UTC")
    return {key: value for key, value in properties.items() if key in MEMBERS}


def call_target(cloud: Cloud, target: dict, event: dict) -> None:
    """Start the target's execution; when that fails, send its input to the dead-letter queue."""
    text = target.get("Input") or json.dumps(event)
    words = {
        "<aws.scheduler.schedule-arn>": event["Resources"][0],
        "<aws.scheduler.scheduled-time>": f"{datetime.fromtimestamp(event['Time'], UTC):%Y-%m-%dT%H:%M:%SZ}",
        "<aws.scheduler.execution-id>": uuid.uuid4().hex,
        "<aws.scheduler.attempt-number>": "1",
    }
    for word, value in words.items():
        text = text.replace(word, value)
    try:
        if ":states:" not in target["Arn"]:
            raise ValueError(f"the local cloud does not call {target['Arn']} on a schedule")
        cloud.client("stepfunctions").start_execution(stateMachineArn=target["Arn"], input=text)
    except Exception as error:
        _send_to_dead_letter_queue(cloud, target, text, error)
        raise


def _send_to_dead_letter_queue(cloud: Cloud, target: dict, text: str, error: Exception) -> None:
    queue = (target.get("DeadLetterConfig") or {}).get("Arn")
    if not queue:
        return
    sqs = cloud.client("sqs")
    url = sqs.get_queue_url(QueueName=queue.rpartition(":")[2])["QueueUrl"]
    attributes = {"ERROR_MESSAGE": {"DataType": "String", "StringValue": str(error)}}
    sqs.send_message(QueueUrl=url, MessageBody=text, MessageAttributes=attributes)
