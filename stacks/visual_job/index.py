"""The function behind the custom resources of a visual job; `visual_job` says what they do.

It answers CloudFormation itself, also when it fails or is about to run out of time: a request that nobody answers
holds a stack for as long as its ServiceTimeout.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-responses.html
"""

from __future__ import annotations

import json
import logging
import threading
import time
import urllib.error
import urllib.request
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


def handler(event: dict[str, Any], context: Any) -> None:
    """Do what the request asks for, and answer it exactly once."""
    answer = Answer(event)
    late = f"not done {MARGIN_SECONDS:.0f} seconds before the timeout of {context.function_name}"
    timer = threading.Timer(
        max(0.1, context.get_remaining_time_in_millis() / 1000 - MARGIN_SECONDS), lambda: answer.failed(late)
    )
    timer.daemon = True
    timer.start()
    try:
        answer.succeeded(visual_job.handle(event))
    except visual_job.Stop as stop:
        answer.failed(str(stop))
    except Exception as error:
        log.exception("%s of %s", event["RequestType"], event["LogicalResourceId"])
        answer.failed(f"{type(error).__name__}: {error} (more in {context.log_group_name})")
    finally:
        timer.cancel()


class Answer:
    """The one answer to a request."""

    def __init__(self, event: dict[str, Any]) -> None:
        self._event = event
        self._lock = threading.Lock()
        self._sent = False

    def succeeded(self, physical_id: str) -> None:
        """Say that it is done; another id than before makes CloudFormation delete the earlier one later."""
        self._send({"Status": "SUCCESS", "PhysicalResourceId": physical_id})

    def failed(self, reason: str) -> None:
        """Say why not. The id stays what it was, or CloudFormation would take the failure for a replacement."""
        physical_id = self._event.get("PhysicalResourceId", NOT_CREATED)
        self._send({"Status": "FAILED", "Reason": reason[:LONGEST_REASON], "PhysicalResourceId": physical_id})

    def _send(self, content: dict[str, Any]) -> None:
        with self._lock:
            if self._sent:
                return
            self._sent = True
        named = {name: self._event[name] for name in ("StackId", "RequestId", "LogicalResourceId")}
        log.info("answer: %s", content)
        _put(self._event["ResponseURL"], json.dumps({**named, **content}).encode())


def _put(url: str, body: bytes) -> None:
    # The URL is signed for an empty content type.
    request = urllib.request.Request(url, data=body, method="PUT", headers={"Content-Type": ""})
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with urllib.request.urlopen(request, timeout=10):
                return
        except (urllib.error.URLError, TimeoutError):
            if attempt == ATTEMPTS:
                raise
            time.sleep(attempt)
