"""The function behind the custom resources of a visual job; `visual_job` says what they do.

It answers CloudFormation itself, also when it fails or is about to run out of time: a request that nobody answers
holds a stack for as long as its ServiceTimeout.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-responses.html
"""

from __future__ import annotations

import http.client
import json
import logging
import signal
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import visual_job

logging.getLogger().setLevel(logging.INFO)
log = logging.getLogger(__name__)

# Before the function's own timeout: enough to send the answer.
MARGIN_SECONDS = 10.0
# CloudFormation takes answers of at most 4 KB.
LONGEST_REASON = 2_000
ATTEMPTS = 4
# The id of a resource that was not created.
NOT_CREATED = "not-created"


class Late(BaseException):
    """There is no time left. It is no Exception, which the SDK would take for a fault of the network and try again."""


def handler(event: dict[str, Any], context: Any) -> None:
    """Do what the request asks for, and answer it exactly once; after the answer nothing is done any more."""
    try:
        with _time_limit(context.get_remaining_time_in_millis() / 1000 - MARGIN_SECONDS):
            answer = _succeeded(visual_job.handle(event))
    except visual_job.Stop as stop:
        answer = _failed(event, str(stop))
    except Late:
        late = f"not done {MARGIN_SECONDS:.0f} seconds before the timeout of {context.function_name}"
        answer = _failed(event, f"{late} (more in {context.log_group_name})")
    except Exception as error:
        log.exception("%s of %s", event["RequestType"], event["LogicalResourceId"])
        answer = _failed(event, f"{type(error).__name__}: {error} (more in {context.log_group_name})")
    named = {name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")}
    log.info("answer: %s", answer)
    _put(event["ResponseURL"], json.dumps({**named, **answer}).encode())


@contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    """Raise Late in the midst of whatever takes longer."""

    def end(*_: Any) -> None:
        raise Late

    signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, max(0.1, seconds))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _succeeded(physical_id: str) -> dict[str, Any]:
    """It is done; another id than before makes CloudFormation delete the earlier one later."""
    return {"Status": "SUCCESS", "PhysicalResourceId": physical_id}


def _failed(event: dict[str, Any], reason: str) -> dict[str, Any]:
    """Why not. The id stays what it was, or CloudFormation would take the failure for a replacement."""
    short = reason.encode("ascii", "replace").decode()[:LONGEST_REASON]
    return {"Status": "FAILED", "Reason": short, "PhysicalResourceId": event.get("PhysicalResourceId", NOT_CREATED)}


def _put(url: str, body: bytes) -> None:
    # The URL is signed for an empty content type.
    request = urllib.request.Request(url, data=body, method="PUT", headers={"Content-Type": ""})
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with urllib.request.urlopen(request, timeout=10):
                return
        except (OSError, http.client.HTTPException):
            if attempt == ATTEMPTS:
                raise
            time.sleep(attempt)
