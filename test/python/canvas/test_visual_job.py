"""The custom resources of a visual job: their function's own code, run by a stack of the local cloud.

One small stack: a bucket, a job, the resource before it and the one after it, and one that fails when it is told to.
"""

from __future__ import annotations

import copy
import hashlib
import io
import itertools
import json
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from running_cloud import ROOT, RunningCloud, wait_for

ROLE = "arn:aws:iam::000000000000:role/test"
FUNCTION = ROOT / "stacks" / "visual_job"
numbers = itertools.count()

DAG: dict[str, Any] = {
    "node-1": {"CatalogSource": {"Name": "Batch", "Database": "<<value:Database>>", "Table": "batch"}},
    "node-2": {"DropDuplicates": {"Name": "Drop equal rows", "Inputs": ["node-1"]}},
    "node-3": {
        "S3DirectTarget": {
            "Name": "Staged",
            "Inputs": ["node-2"],
            "PartitionKeys": [],
            "Path": "s3://<<value:Bucket>>/staging/",
            "Compression": "none",
            "Format": "json",
        }
    },
}


class Project:
    """A stack with one visual job, and the sources that it is made from."""

    def __init__(self, cloud: RunningCloud) -> None:
        self.cloud = cloud
        self.name = f"canvas{next(numbers)}"
        self.job = f"{self.name}-films"
        self.assets = f"{self.name}-assets"
        self.bucket = f"{self.name}-artifacts"
        self.glue, self.s3 = cloud.client("glue"), cloud.client("s3")
        self.cloudformation = cloud.client("cloudformation")
        self.s3.create_bucket(Bucket=self.assets)
        self.dag, self.script, self.workers = copy.deepcopy(DAG), b"print('tested')\n", 2
        self.values = {"Database": "films_batch", "Bucket": "films-processed"}
        self.fails = self.discard = False
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as files:
            for path in FUNCTION.glob("*.py"):
                files.write(path, path.name)
        self.code = self._asset(archive.getvalue(), "zip")

    def _asset(self, content: bytes, kind: str) -> dict[str, str]:
        key = f"{hashlib.sha256(content).hexdigest()}.{kind}"
        self.s3.put_object(Bucket=self.assets, Key=key, Body=content)
        return {"Bucket": self.assets, "Key": key}

    def location(self, script: bytes | None = None) -> str:
        """Where the script of a version lies."""
        content = self.script if script is None else script
        return f"s3://{self.bucket}/visual-jobs/films/{hashlib.sha256(content).hexdigest()}.py"

    def template(self) -> dict[str, Any]:
        """The stack of the present sources, as stacks/visual_jobs.go makes it."""
        definition = {
            "Role": ROLE,
            "Command": {"Name": "glueetl", "PythonVersion": "3", "ScriptLocation": self.location()},
            "GlueVersion": "5.1",
            "WorkerType": "G.1X",
            "NumberOfWorkers": self.workers,
            "DefaultArguments": {"--Database": self.values["Database"]},
        }
        custom: dict[str, Any] = {
            "ServiceToken": {"Fn::GetAtt": ["Function", "Arn"]},
            "ServiceTimeout": "60",
            "Job": json.dumps({"Name": self.job, **definition}),
            "Nodes": self._asset(json.dumps(self.dag).encode(), "json"),
            "Values": self.values,
            "Script": self._asset(self.script, "py"),
            "PullCommand": "pipeline visual pull films --aws --environment dev",
            "DiscardOption": "-c discardCanvasEdits=films",
        }
        before = {**custom, **({"DiscardEdits": "true"} if self.discard else {})}
        function = {
            "Runtime": "python3.13",
            "Handler": "index.handler",
            "Role": ROLE,
            "Timeout": 50,
            "Code": {"S3Bucket": self.code["Bucket"], "S3Key": self.code["Key"]},
        }
        return {
            "Artifacts": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": self.bucket}},
            "Function": {"Type": "AWS::Lambda::Function", "Properties": function},
            "Script": {"Type": "Custom::VisualJobScript", "DependsOn": "Artifacts", "Properties": before},
            "Job": {
                "Type": "AWS::Glue::Job",
                "DependsOn": "Script",
                "Properties": {"Name": self.job, **definition},
            },
            "Visual": {"Type": "Custom::VisualJob", "DependsOn": "Job", "Properties": custom},
            **({"Last": {"Type": "Custom::Fails", "DependsOn": "Visual", "Properties": {}}} if self.fails else {}),
        }

    def deploy(self, **changes: dict[str, Any] | None) -> str:
        """Create or update the stack; gives its status, and in `self.told` what resources said."""
        resources = self.template()
        for name, resource in changes.items():
            if resource is None:
                del resources[name]
            else:
                resources[name] = resource
        body = json.dumps({"Resources": resources})
        arguments = {"StackName": self.name, "TemplateBody": body, "Capabilities": ["CAPABILITY_IAM"]}
        try:
            self.cloudformation.describe_stacks(StackName=self.name)
            self.cloudformation.update_stack(**arguments)
        except ClientError as error:
            if "No updates" in str(error):
                return "NO_UPDATES"
            self.cloudformation.create_stack(**arguments)
        return self._settled()

    def _settled(self) -> str:
        def ended() -> str | None:
            status = self.cloudformation.describe_stacks(StackName=self.name)["Stacks"][0]["StackStatus"]
            return None if status.endswith("IN_PROGRESS") else status

        return wait_for(ended, 60, f"the stack {self.name}")

    @property
    def told(self) -> str:
        """Why resources failed."""
        events = self.cloudformation.describe_stack_events(StackName=self.name)["StackEvents"]
        return "\n".join(event.get("ResourceStatusReason", "") for event in events)

    def destroy(self) -> str:
        """Delete the stack; gives its last status."""
        stack = self.cloudformation.describe_stacks(StackName=self.name)["Stacks"][0]["StackId"]
        self.cloudformation.delete_stack(StackName=self.name)

        def ended() -> str | None:
            status = self.cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"]
            return None if status.endswith("IN_PROGRESS") else status

        return wait_for(ended, 60, f"the deletion of {self.name}")

    def definition(self) -> dict[str, Any]:
        """The job as Glue has it."""
        return self.glue.get_job(JobName=self.job)["Job"]

    def runs(self) -> bytes:
        """The script that the job would run."""
        bucket, _, key = self.definition()["Command"]["ScriptLocation"].removeprefix("s3://").partition("/")
        return self.s3.get_object(Bucket=bucket, Key=key)["Body"].read()

    def edit(self, name: str) -> None:
        """Rename a node on the canvas: Glue Studio sends the whole definition, and Glue generates the script."""
        job = self.definition()
        job["CodeGenConfigurationNodes"]["node-2"]["DropDuplicates"]["Name"] = name
        dropped = ("Name", "CreatedOn", "LastModifiedOn", "Tags", "AllocatedCapacity", "MaxCapacity")
        self.glue.update_job(JobName=self.job, JobUpdate={k: v for k, v in job.items() if k not in dropped})

    def keys(self) -> list[str]:
        """What lies in the artifacts bucket, without the common folder."""
        listed = self.s3.list_objects_v2(Bucket=self.bucket).get("Contents", [])
        return [item["Key"].removeprefix("visual-jobs/films/") for item in listed]

    def registered(self) -> bool:
        """Whether the job is what the sources say, and runs their script."""
        job = self.definition()
        nodes = job.get("CodeGenConfigurationNodes") or {}
        text = json.dumps(self.dag)
        for name, value in self.values.items():
            text = text.replace(f"<<value:{name}>>", value)
        same = nodes == json.loads(text) and job["NumberOfWorkers"] == self.workers
        return same and job["JobMode"] == "VISUAL" and self.runs() == self.script


@pytest.fixture
def project(cloud: RunningCloud) -> Iterator[Project]:
    used = Project(cloud)
    yield used
    try:
        assert used.destroy() == "DELETE_COMPLETE"
    except ClientError as error:
        assert "does not exist" in str(error)


def rename(project: Project, name: str = "Only once") -> None:
    """A change of the DAG in the sources."""
    project.dag["node-2"]["DropDuplicates"]["Name"] = name


def test_a_job_is_registered_with_its_dag_and_runs_the_tested_script(project: Project) -> None:
    assert project.deploy() == "CREATE_COMPLETE", project.told
    assert project.registered()
    assert project.definition()["DefaultArguments"] == {"--Database": "films_batch"}


def test_each_change_registers_again_and_leaves_one_script(project: Project) -> None:
    project.deploy()
    project.workers = 5  # a property of the job alone: the stack's update takes the DAG from the job
    assert project.deploy() == "UPDATE_COMPLETE", project.told
    assert project.registered()
    rename(project)
    assert project.deploy() == "UPDATE_COMPLETE", project.told
    assert project.registered()
    project.script = b"print('tested again')\n"
    assert project.deploy() == "UPDATE_COMPLETE", project.told
    assert project.registered()
    assert project.keys() == [f"{hashlib.sha256(project.script).hexdigest()}.py", "registered.json"]


def test_a_deployment_stops_before_it_overwrites_the_canvas(project: Project) -> None:
    project.deploy()
    project.edit("Edited on the canvas")
    edited, generated = project.definition(), project.runs()
    project.workers, project.script = 7, b"print('new')\n"
    assert project.deploy() == "UPDATE_ROLLBACK_COMPLETE"
    assert f"The DAG of job {project.job} was edited on the canvas" in project.told
    assert "pipeline visual pull films --aws --environment dev ;" in project.told
    assert project.definition() == edited, "everything stays"
    assert project.runs() == generated

    rename(project, "Edited on the canvas")  # taken home
    assert project.deploy() == "UPDATE_COMPLETE", project.told
    assert project.registered()


def test_edits_of_the_canvas_are_thrown_away_when_that_is_said(project: Project) -> None:
    project.deploy()
    project.edit("Edited on the canvas")
    project.discard = True  # and nothing else has changed
    assert project.deploy() == "UPDATE_COMPLETE", project.told
    assert project.registered()
    project.discard = False
    assert project.deploy() == "UPDATE_COMPLETE", project.told
    assert project.registered()


def test_an_edit_that_was_undone_on_the_canvas_is_none(project: Project) -> None:
    project.deploy()
    project.edit("Edited on the canvas")
    project.edit(DAG["node-2"]["DropDuplicates"]["Name"])
    project.workers = 3
    assert project.deploy() == "UPDATE_COMPLETE", project.told
    assert project.registered()


@pytest.mark.parametrize("change", ["script and DAG", "workers"])
def test_a_rollback_leaves_the_old_version(project: Project, change: str) -> None:
    project.deploy()
    old = (copy.deepcopy(project.dag), project.script, project.workers)
    if change == "workers":
        project.workers = 9
    else:
        rename(project)
        project.script = b"print('fails later')\n"
    project.fails = True
    assert project.deploy() == "UPDATE_ROLLBACK_COMPLETE"
    project.dag, project.script, project.workers = old
    project.fails = False
    assert project.registered()
    assert project.keys() == [f"{hashlib.sha256(project.script).hexdigest()}.py", "registered.json"]
    rename(project, "After the rollback")
    assert project.deploy() == "UPDATE_COMPLETE", project.told
    assert project.registered()


def test_a_create_that_fails_leaves_nothing(project: Project) -> None:
    project.fails = True
    project.s3.create_bucket(Bucket=project.bucket)  # outlives the stack, to see what is left in it
    template = project.template()
    del template["Artifacts"], template["Script"]["DependsOn"]
    assert project.deploy(Artifacts=None, Script=template["Script"]) == "ROLLBACK_COMPLETE"
    assert project.keys() == []
    with pytest.raises(project.glue.exceptions.EntityNotFoundException):
        project.definition()


def test_destroy_leaves_nothing_also_when_the_job_is_gone(project: Project) -> None:
    project.deploy()
    project.glue.delete_job(JobName=project.job)
    assert project.destroy() == "DELETE_COMPLETE"
    with pytest.raises(ClientError, match=r"NoSuchBucket|404"):
        project.keys()


def test_a_job_that_outlives_its_resources_is_a_job_of_its_script(project: Project) -> None:
    project.deploy()
    job = {key: value for key, value in project.template()["Job"].items() if key != "DependsOn"}
    assert project.deploy(Script=None, Visual=None, Job=job) == "UPDATE_COMPLETE", project.told
    assert project.definition()["JobMode"] == "SCRIPT"
    assert "CodeGenConfigurationNodes" not in project.definition()
    assert project.runs() == project.script
    project.s3.delete_object(Bucket=project.bucket, Key=f"visual-jobs/films/{project.keys()[0]}")


def test_values_that_contain_each_other_stop_the_deployment(project: Project) -> None:
    project.values["Bucket"] = "films_batch-processed"
    assert project.deploy() == "ROLLBACK_COMPLETE"
    assert "the value of Bucket, 'films_batch-processed', contains that of Database, 'films_batch'" in project.told


def test_what_glue_refuses_is_told(project: Project) -> None:
    project.dag["node-3"]["S3DirectTarget"]["Format"] = "papyrus"
    assert project.deploy() == "ROLLBACK_COMPLETE"
    assert "InvalidInputException" in project.told
    assert "CodeGenConfigurationNodes.node-3.S3DirectTarget.Format: 'papyrus' is none of" in project.told
