"""Glue: what ministack keeps of a job's definition, and what it only pretends to do.

Crawlers, job runs and data quality are in modules of their own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ministack.services import glue as ministack
from ministack.services.cloudformation import provisioners

from local.cloud import ApiError, Cloud

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
# Answered by ministack with a success that nothing follows. The modules of crawlers and jobs answer theirs themselves.
PRETENDED = (
    "CreateTrigger",
    "CreateWorkflow",
    "StartCrawler",
    "StartJobRun",
    "StartTrigger",
    "StartWorkflowRun",
    "UpdateTrigger",
    "UpdateWorkflow",
)


def install(cloud: Cloud) -> None:
    """Keep whole job definitions; refuse what nothing runs."""
    keep_whole_jobs()
    cloud.override_glue({name: _refuse(name) for name in PRETENDED})


def keep_whole_jobs() -> None:
    """Store the members of a job that ministack drops, whoever gives them: the API or a stack."""
    create, update, fields = ministack._create_job, ministack._update_job, provisioners._glue_job_fields

    def create_job(data: dict) -> tuple:
        return _kept(create(data), data.get("Name", ""), data)

    def update_job(data: dict) -> tuple:
        return _kept(update(data), data.get("JobName", ""), data.get("JobUpdate", {}))

    ministack._create_job = create_job
    ministack._update_job = update_job
    provisioners._glue_job_fields = lambda given: {
        **fields(given),
        **{name: given[name] for name in KEPT if name in given},
    }


def _kept(answer: tuple, name: str, given: dict[str, Any]) -> tuple:
    if answer[0] == 200:
        ministack._jobs[name].update({key: given[key] for key in KEPT if key in given})
    return answer


def _refuse(name: str) -> Callable[[dict], dict]:
    def operation(_request: dict) -> dict:
        raise ApiError("UnknownOperationException", f"the local cloud does not implement glue:{name}")

    return operation
