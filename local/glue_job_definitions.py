"""Definitions of Glue jobs, whoever gives them: the API or a stack.

- A job keeps all of its members, also those that ministack drops, like the DAG of a visual job.
- UpdateJob resets what it is not told, so that a stack's update takes the DAG from a job.
- A definition is checked against the service's model, enumerations and patterns included.
- When a DAG is registered, a script lies at ScriptLocation that is not the job's own: the worst that Glue may do, which
  generates one there. Glue does not publish its generator, so this one says so and fails.

https://docs.aws.amazon.com/glue/latest/webapi/API_UpdateJob.html
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ministack.core.responses import json_response
from ministack.services import glue as ministack
from ministack.services.cloudformation import provisioners

from local.cloud import ApiError, Cloud
from local.glue_catalog import GLUE, checked
from local.model import problems

# Members of a job that ministack drops.
# https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-jobs-job.html
KEPT = (
    "CodeGenConfigurationNodes",
    "ExecutionClass",
    "ExecutionProperty",
    "JobMode",
    "JobRunQueuingEnabled",
    "MaintenanceWindow",
    "NotificationProperty",
)
DEFAULTS = {
    "JobMode": "SCRIPT",
    "Description": "",
    "DefaultArguments": {},
    "NonOverridableArguments": {},
    "Connections": {},
    "MaxRetries": 0,
    "Timeout": 480,
}
GENERATED = Path(__file__).parent / "runtime" / "generated_by_glue.py"


def install(cloud: Cloud) -> None:
    """Answer UpdateJob, and keep what stacks and CreateJob give."""
    definitions = Definitions(cloud)
    cloud.override_glue({"UpdateJob": checked("UpdateJob", definitions.update)})
    create, fields = ministack._create_job, provisioners._glue_job_fields

    def create_job(data: dict) -> tuple:
        _check("CreateJob", data)
        answer = create(data)
        if answer[0] == 200:
            ministack._jobs[data["Name"]].update({key: data[key] for key in KEPT if key in data})
            definitions.generate(data)
        return answer

    ministack._create_job = create_job
    ministack._update_job = lambda data: json_response(definitions.update(data))
    provisioners._glue_job_fields = lambda given: {
        **fields(given),
        **{name: given[name] for name in KEPT if name in given},
    }


class Definitions:
    """The definitions of one cloud's jobs."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def update(self, request: dict) -> dict:
        """Replace a job's definition: what the request does not name falls back to its default."""
        _check("UpdateJob", request)
        name, given = request["JobName"], request["JobUpdate"]
        old = ministack._jobs.get(name)
        if old is None:
            raise ApiError("EntityNotFoundException", f"Job {name} not found")
        kept = {key: old[key] for key in ("Name", "CreatedOn", "Tags") if key in old}
        ministack._jobs[name] = {**DEFAULTS, **given, **kept, "LastModifiedOn": int(time.time())}
        self.generate(given)
        return {"JobName": name}

    def generate(self, definition: dict[str, Any]) -> None:
        """Put a script of our own where the job's is, if the job has a DAG."""
        if definition.get("CodeGenConfigurationNodes"):
            place = urlsplit(definition["Command"]["ScriptLocation"])
            s3 = self._cloud.client("s3")
            s3.put_object(Bucket=place.netloc, Key=place.path.lstrip("/"), Body=GENERATED.read_bytes())


def _check(operation: str, request: dict) -> None:
    if found := list(problems(request, GLUE.operation_model(operation).input_shape)):
        raise ApiError("InvalidInputException", "; ".join(found))
