"""The services that a Task state calls.

`arn:aws:states:::aws-sdk:<service>:<action>` is called with boto3 on the local cloud itself, so its parameters are
checked against AWS's own service model and its answer has AWS's types. Names are those of the AWS SDK for Java, as
Step Functions has them: members in PascalCase, errors `<Service>.<Exception>`.
https://docs.aws.amazon.com/step-functions/latest/dg/supported-services-awssdk.html
"""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError
from botocore.model import ListShape, MapShape, StructureShape

from local.asl import StateError, dump, is_expression
from local.cloud import Cloud

# botocore has no types; its shapes and operation models are these.
Shape = Any
OperationModel = Any

POLL_SECONDS = 0.2
SDK = "arn:aws:states:::aws-sdk:"
RUNTIME = "States.Runtime"


@dataclass(frozen=True)
class Service:
    """A service by its boto3 name and the prefix of its errors."""

    boto: str
    prefix: str


SDK_SERVICES = {
    "cloudwatch": Service("cloudwatch", "CloudWatch"),
    "dynamodb": Service("dynamodb", "DynamoDb"),
    "glue": Service("glue", "Glue"),
    "redshiftdata": Service("redshift-data", "RedshiftData"),
    "redshiftserverless": Service("redshift-serverless", "RedshiftServerless"),
    "s3": Service("s3", "S3"),
    "sfn": Service("stepfunctions", "Sfn"),
    "sns": Service("sns", "Sns"),
    "sqs": Service("sqs", "Sqs"),
}
OPTIMIZED = {
    "arn:aws:states:::dynamodb:deleteItem": (Service("dynamodb", "DynamoDB"), "DeleteItem"),
    "arn:aws:states:::dynamodb:getItem": (Service("dynamodb", "DynamoDB"), "GetItem"),
    "arn:aws:states:::dynamodb:putItem": (Service("dynamodb", "DynamoDB"), "PutItem"),
    "arn:aws:states:::dynamodb:updateItem": (Service("dynamodb", "DynamoDB"), "UpdateItem"),
    "arn:aws:states:::glue:startJobRun": (Service("glue", "Glue"), "StartJobRun"),
    "arn:aws:states:::sns:publish": (Service("sns", "SNS"), "Publish"),
    "arn:aws:states:::sqs:sendMessage": (Service("sqs", "SQS"), "SendMessage"),
}
RUN_JOB = "arn:aws:states:::glue:startJobRun.sync"
JOB_ENDED = ("SUCCEEDED", "FAILED", "STOPPED", "TIMEOUT", "ERROR")
# Members that the Java SDK names otherwise than by a capital letter.
RENAMED = {("AttributeValue", "NULL"): "Nul", ("AttributeValue", "BOOL"): "Bool"}
# Members that take any JSON and are sent as its text.
JSON_TEXT = {("PublishInput", "Message"), ("SendMessageRequest", "MessageBody")}


class Integrations:
    """Calls the resources of Task states on one cloud."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud

    def call(self, resource: str, arguments: Any, cancelled: threading.Event) -> Any:
        """Call a resource; raises StateError with the name that AWS gives the error.

        `cancelled` is set when nobody waits for the result any more.
        """
        if resource == RUN_JOB:
            return self._run_job(arguments, cancelled)
        found = find(resource)
        if not found:
            raise StateError(RUNTIME, f"the local cloud does not implement the resource {resource}")
        return self._request(*found, arguments)

    def problems(self, resource: str, arguments: Any) -> list[str]:
        """What is wrong with a call that can be said before it is made."""
        found = find(RUN_JOB.removesuffix(".sync") if resource == RUN_JOB else resource)
        if not found:
            return [f"the local cloud does not implement the resource {resource}"]
        model = self._model(*found)
        if model is None:
            return [f"there is no operation {found[1]} in {found[0].boto}"]
        if arguments is None or isinstance(arguments, str):
            return []
        try:
            parameters(arguments, model.input_shape)
        except StateError as error:
            return [error.cause]
        return []

    def _model(self, service: Service, operation: str) -> OperationModel:
        model = self.cloud.client(service.boto).meta.service_model
        return model.operation_model(operation) if operation in model.operation_names else None

    def _request(self, service: Service, operation: str, arguments: Any) -> Any:
        model = self._model(service, operation)
        if model is None:
            raise StateError(RUNTIME, f"there is no operation {operation} in {service.boto}")
        client = self.cloud.client(service.boto)
        try:
            answer = client._make_api_call(operation, parameters(arguments, model.input_shape))
        except ParamValidationError as error:
            raise StateError(RUNTIME, f"the arguments {dump(arguments)} cannot be used: {error}") from error
        except ClientError as error:
            raise _named_error(service, client.meta.service_model, error) from error
        except BotoCoreError as error:
            raise StateError(f"{service.prefix}.SdkClientException", str(error)) from error
        answer.pop("ResponseMetadata", None)
        return members(answer, model.output_shape)

    def _run_job(self, arguments: dict, cancelled: threading.Event) -> dict:
        """startJobRun.sync: waits for the end of the job run; its failure is States.TaskFailed with the run as cause.

        https://docs.aws.amazon.com/step-functions/latest/dg/connect-glue.html
        """
        glue = self.cloud.client("glue")
        service, operation = OPTIMIZED[RUN_JOB.removesuffix(".sync")]
        started = self._request(service, operation, arguments)
        name, run_id = arguments["JobName"], started["JobRunId"]
        while True:
            run = glue.get_job_run(JobName=name, RunId=run_id)["JobRun"]
            if run["JobRunState"] in JOB_ENDED:
                break
            if cancelled.wait(POLL_SECONDS):
                glue.batch_stop_job_run(JobName=name, JobRunIds=[run_id])
                raise StateError("States.TaskFailed", "stopped with its execution")
        result = _epoch_milliseconds(run)
        if run["JobRunState"] != "SUCCEEDED":
            raise StateError("States.TaskFailed", dump(result))
        return result


def find(resource: str) -> tuple[Service, str] | None:
    """The service and operation behind a resource; None when it is not known here."""
    if resource in OPTIMIZED:
        return OPTIMIZED[resource]
    name, _, action = resource.removeprefix(SDK).partition(":")
    if not resource.startswith(SDK) or name not in SDK_SERVICES or not action[:1].islower():
        return None
    return SDK_SERVICES[name], action[0].upper() + action[1:]


def is_a(shape: Shape, kind: type) -> bool:
    """isinstance, without its narrowing to classes that have no types."""
    return isinstance(shape, kind)


def member_name(shape: Shape, wire: str) -> str:
    """A member's name in Step Functions."""
    return RENAMED.get((shape.name, wire), wire[0].upper() + wire[1:])


def parameters(value: Any, shape: Shape) -> Any:
    """Arguments as boto3 takes them; a name that the operation does not have is an error."""
    if shape is None or (isinstance(value, str) and is_expression(value)):
        return value
    if is_a(shape, StructureShape) and isinstance(value, dict):
        return _structure(value, shape)
    if is_a(shape, ListShape) and isinstance(value, list):
        return [parameters(member, shape.member) for member in value]
    if is_a(shape, MapShape) and isinstance(value, dict):
        return {key: parameters(member, shape.value) for key, member in value.items()}
    if shape.type_name == "blob":
        # A string too is written as JSON, in quotes; objects and arrays are the way to write JSON documents.
        return dump(value).encode()
    return value


def _structure(value: dict, shape: Shape) -> dict:
    wire = {member_name(shape, name): name for name in shape.members}
    result = {}
    for name, member in value.items():
        if name not in wire:
            known = ", ".join(sorted(wire))
            raise StateError(RUNTIME, f"the field '{name}' is not supported by Step Functions here; there are: {known}")
        if (shape.name, name) in JSON_TEXT and not isinstance(member, str):
            member = dump(member)
        result[wire[name]] = parameters(member, shape.members[wire[name]])
    return result


def members(value: Any, shape: Shape) -> Any:
    """A boto3 answer as Step Functions gives it: JSON, times as ISO 8601, bodies as text."""
    if is_a(shape, StructureShape) and isinstance(value, dict):
        return {member_name(shape, name): members(member, shape.members.get(name)) for name, member in value.items()}
    if is_a(shape, ListShape) and isinstance(value, list):
        return [members(member, shape.member) for member in value]
    if is_a(shape, MapShape) and isinstance(value, dict):
        return {key: members(member, shape.value) for key, member in value.items()}
    if isinstance(value, datetime):
        return _iso(value)
    if hasattr(value, "read"):
        value = value.read()
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="replace")
    return value


def _iso(value: datetime) -> str:
    precision = "milliseconds" if value.microsecond else "seconds"
    return value.astimezone(UTC).isoformat(timespec=precision).replace("+00:00", "Z")


def _epoch_milliseconds(value: Any) -> Any:
    """The optimized Glue integration gives times as milliseconds since 1970."""
    return json.loads(json.dumps(value, default=lambda time: int(time.timestamp() * 1000)))


def _named_error(service: Service, model: Any, error: ClientError) -> StateError:
    code = error.response["Error"].get("Code", "")
    message = error.response["Error"].get("Message", "")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    by_code = {shape.metadata.get("error", {}).get("code", shape.name): shape.name for shape in model.error_shapes}
    name = java_exception(by_code[code]) if code in by_code else code
    if not name.endswith("Exception"):
        name = f"{service.prefix}Exception"
    return StateError(f"{service.prefix}.{name}", f"{message} (Service: {service.prefix}, Status Code: {status})")


def java_exception(name: str) -> str:
    """The class name that the AWS SDK for Java generates for an error of the model."""
    if name.endswith("Exception"):
        return name
    return name.removesuffix("Fault").removesuffix("Error") + "Exception"
