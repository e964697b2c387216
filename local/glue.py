"""Glue: what ministack only pretends to do.

Jobs, crawlers and data quality are in modules of their own.
"""

from __future__ import annotations

from collections.abc import Callable

from local.cloud import ApiError, Cloud

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
    """Refuse what nothing runs."""
    cloud.override_glue({name: _refuse(name) for name in PRETENDED})


def _refuse(name: str) -> Callable[[dict], dict]:
    def operation(_request: dict) -> dict:
        raise ApiError("UnknownOperationException", f"the local cloud does not implement glue:{name}")

    return operation
