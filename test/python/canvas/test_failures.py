"""A visual job's resources when something fails: rollbacks in any order, crashes, a busy Glue, no time left.

What a stack of the local cloud does in one order only is asked of the function itself, in this process or in one of its
own, against the same cloud.
"""

from __future__ import annotations

import copy
import http.server
import importlib
import itertools
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ClientError
from canvas.project import DAG, FUNCTION, Project, function
from running_cloud import RunningCloud

# The function of a resource that comes last: it edits the job's DAG as somebody at the canvas would, then fails.
EDITOR = """
import json, urllib.request
import boto3

def handler(event, context):
    if event["RequestType"] != "Delete":
        glue, name = boto3.client("glue"), event["ResourceProperties"]["Job"]
        job = glue.get_job(JobName=name)["Job"]
        job["CodeGenConfigurationNodes"]["node-2"]["DropDuplicates"]["Name"] = "Edited meanwhile"
        dropped = ("Name", "CreatedOn", "LastModifiedOn", "Tags", "AllocatedCapacity", "MaxCapacity")
        glue.update_job(JobName=name, JobUpdate={key: value for key, value in job.items() if key not in dropped})
    answer = {key: event[key] for key in ("StackId", "RequestId", "LogicalResourceId")}
    status = "SUCCESS" if event["RequestType"] == "Delete" else "FAILED"
    answer.update(Status=status, Reason="told to fail", PhysicalResourceId="last")
    body = json.dumps(answer).encode()
    urllib.request.urlopen(urllib.request.Request(event["ResponseURL"], body, {"Content-Type": ""}, method="PUT"))
"""

# What Glue answers while it is at work on a job.
BUSY = b'{"__type": "ConcurrentModificationException", "Message": "Concurrent modification"}'

# A process of its own, since `handler` counts the time that is left by the signal that pytest uses too. UpdateJob goes
# to where nobody answers.
ALONE = """
import json, sys, types
import index, visual_job

def redirect(request, **_):
    request.url = sys.argv[1]

visual_job.glue.meta.events.register("before-send.glue.UpdateJob", redirect)
context = types.SimpleNamespace(
    function_name="visual-jobs", log_group_name="/visual-jobs",
    get_remaining_time_in_millis=lambda: 1000 * (index.MARGIN_SECONDS + 0.5),
)
index.handler(json.load(sys.stdin), context)
"""


@pytest.fixture
def visual_job(cloud: RunningCloud, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The function's module, in this process, with clients of the local cloud."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", cloud.url)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.syspath_prepend(FUNCTION)
    monkeypatch.delitem(sys.modules, "visual_job", raising=False)
    module = importlib.import_module("visual_job")
    monkeypatch.setattr(module, "BUSY_SECONDS", 0.01)
    return module


@pytest.fixture
def deployed(project: Project) -> Project:
    """The first version, deployed by its stack."""
    assert project.deploy() == "CREATE_COMPLETE", project.told
    return project


def second_version(project: Project) -> None:
    """Change all that there is in the sources."""
    project.rename("Second version")
    project.script, project.workers = b"print('second version')\n", 9


def first_version(project: Project) -> None:
    """Take the sources back."""
    project.dag, project.script, project.workers = copy.deepcopy(DAG), b"print('tested')\n", 2


def deploy_by_hand(project: Project, visual_job: ModuleType, order: tuple[str, ...]) -> None:
    """Update the three resources of the job to the present sources, in this order."""
    for resource in order:
        if resource == "Job":
            project.update_job()
        else:
            visual_job.handle(project.event(resource))


FORWARD = ("Script", "Job", "Visual")


@pytest.mark.parametrize("order", itertools.permutations(FORWARD), ids="-".join)
def test_a_rollback_in_whatever_order(deployed: Project, visual_job: ModuleType, order: tuple[str, ...]) -> None:
    second_version(deployed)
    deploy_by_hand(deployed, visual_job, FORWARD)
    assert deployed.registered()

    first_version(deployed)
    deploy_by_hand(deployed, visual_job, order)

    assert deployed.runs() == deployed.script
    # CloudFormation's update takes the DAG from the job. If nothing of ours comes after it, the next change brings it.
    assert deployed.registered() == (order[-1] != "Job")
    deployed.workers = 3
    assert deployed.deploy() == "UPDATE_COMPLETE", deployed.told
    assert deployed.registered()


@pytest.mark.parametrize("order", [FORWARD, FORWARD[::-1]], ids="-".join)
def test_a_rollback_saves_the_edits_that_it_overwrites(
    deployed: Project, visual_job: ModuleType, monkeypatch: pytest.MonkeyPatch, order: tuple[str, ...]
) -> None:
    second_version(deployed)
    deploy_by_hand(deployed, visual_job, FORWARD)
    deployed.edit("Edited meanwhile")
    edited = deployed.definition()["CodeGenConfigurationNodes"]
    monkeypatch.setattr(visual_job.VisualJob, "_is_rolling_back", lambda *_: True)

    first_version(deployed)
    deploy_by_hand(deployed, visual_job, order)

    assert deployed.registered()
    assert deployed.take_saved_edits() == [edited]


def test_an_edit_between_a_deployment_and_its_failure(deployed: Project) -> None:
    second_version(deployed)
    edited = copy.deepcopy(deployed.nodes())
    edited["node-2"]["DropDuplicates"]["Name"] = "Edited meanwhile"
    editor = function(deployed.function_code({"index.py": EDITOR}))
    properties = {"ServiceToken": {"Fn::GetAtt": ["Editor", "Arn"]}, "Job": deployed.job}
    last = {"Type": "Custom::Editor", "DependsOn": "Visual", "Properties": properties}

    assert deployed.deploy(Editor=editor, Last=last) == "UPDATE_ROLLBACK_COMPLETE", deployed.told

    first_version(deployed)
    assert deployed.registered()
    assert deployed.take_saved_edits() == [edited]


def test_edits_that_are_thrown_away_are_saved(deployed: Project) -> None:
    deployed.edit("Edited on the canvas")
    edited = deployed.definition()["CodeGenConfigurationNodes"]
    second_version(deployed)
    deployed.discard = True

    assert deployed.deploy() == "UPDATE_COMPLETE", deployed.told

    assert deployed.registered()
    assert deployed.take_saved_edits() == [edited]


@pytest.mark.parametrize("step", ["_put_script", "_write_record"])
def test_a_crash_after_the_registration_is_no_edit(
    deployed: Project, visual_job: ModuleType, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """The function is ended between UpdateJob and what it does next."""
    second_version(deployed)
    visual_job.handle(deployed.event("Script"))
    deployed.update_job()
    with monkeypatch.context() as patched:
        patched.setattr(visual_job.VisualJob, step, ended_after_update(visual_job, step))
        with pytest.raises(SystemExit):
            visual_job.handle(deployed.event("Visual"))
    assert deployed.definition()["CodeGenConfigurationNodes"] == deployed.nodes(), "it was registered"

    deployed.rename("Third version")
    assert deployed.deploy() == "UPDATE_COMPLETE", deployed.told
    assert deployed.registered()
    assert deployed.take_saved_edits() == []


def ended_after_update(visual_job: ModuleType, step: str) -> Callable[..., None]:
    """A step of the registration that ends the process once the job has its DAG."""
    original = getattr(visual_job.VisualJob, step)

    def run(job: Any, *arguments: Any) -> None:
        if job._registered_nodes() == job.nodes():
            raise SystemExit
        original(job, *arguments)

    return run


def busy_for(visual_job: ModuleType, times: int) -> list[str]:
    """Let Glue be at work on the job for some calls of UpdateJob; gives a list that grows with each call."""
    calls: list[str] = []

    def answer(request: Any, **_: Any) -> AWSResponse | None:
        calls.append(request.url)
        return Refused(request.url) if len(calls) <= times else None

    visual_job.glue.meta.events.register("before-send.glue.UpdateJob", answer)
    return calls


class Refused(AWSResponse):
    """The answer of a busy Glue."""

    def __init__(self, url: str) -> None:
        super().__init__(url, 400, {"Content-Type": "application/x-amz-json-1.1"}, None)

    @property
    def content(self) -> bytes:
        """The body."""
        return BUSY


def test_a_busy_glue_is_waited_for(deployed: Project, visual_job: ModuleType) -> None:
    deployed.rename("After waiting")
    calls = busy_for(visual_job, 2)

    visual_job.handle(deployed.event("Visual"))

    assert len(calls) == 3
    assert deployed.registered()


def test_a_glue_that_stays_busy_leaves_what_was_registered(deployed: Project, visual_job: ModuleType) -> None:
    deployed.rename("Never registered")
    record = deployed.record()
    calls = busy_for(visual_job, visual_job.BUSY_ATTEMPTS)

    with pytest.raises(ClientError, match=visual_job.BUSY):
        visual_job.handle(deployed.event("Visual"))

    assert len(calls) == visual_job.BUSY_ATTEMPTS
    assert deployed.record() == record
    first_version(deployed)
    assert deployed.registered()


@pytest.fixture
def answers() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A place for answers to CloudFormation: its URL, and what was put there."""
    told: list[dict[str, Any]] = []

    class Place(http.server.BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Place) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/", told
        server.shutdown()
        thread.join()


def test_no_time_left_is_told_once_and_nothing_is_done_after(
    deployed: Project, cloud: RunningCloud, answers: tuple[str, list[dict[str, Any]]]
) -> None:
    url, told = answers
    deployed.rename("Too late")
    event = {**deployed.event("Visual"), "ResponseURL": url}
    environment = {"AWS_ENDPOINT_URL": cloud.url, "AWS_DEFAULT_REGION": "us-east-1", "PYTHONPATH": str(FUNCTION)}

    with socket.create_server(("127.0.0.1", 0)) as silent:
        done = subprocess.run(
            [sys.executable, "-c", ALONE, f"http://127.0.0.1:{silent.getsockname()[1]}/"],
            input=json.dumps(event),
            env={**os.environ, **environment},
            text=True,
            capture_output=True,
            timeout=30,
        )

    assert done.returncode == 0, done.stderr
    reason = "not done 10 seconds before the timeout of visual-jobs (more in /visual-jobs)"
    named = {key: event[key] for key in ("StackId", "RequestId", "LogicalResourceId")}
    assert told == [{**named, "Status": "FAILED", "Reason": reason, "PhysicalResourceId": "as before"}]
    first_version(deployed)
    assert deployed.registered()
    deployed.workers = 6
    assert deployed.deploy() == "UPDATE_COMPLETE", "the DAG of the registration that was begun is no edit"
