"""A small stack with one visual job: a bucket, a job, the resource before it and the one after it."""

from __future__ import annotations

import copy
import hashlib
import io
import itertools
import json
import zipfile
from typing import Any

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


def function(code: dict[str, str]) -> dict[str, Any]:
    """A function as a resource of a stack."""
    properties = {
        "Runtime": "python3.13",
        "Handler": "index.handler",
        "Role": ROLE,
        "Timeout": 50,
        "Code": {"S3Bucket": code["Bucket"], "S3Key": code["Key"]},
    }
    return {"Type": "AWS::Lambda::Function", "Properties": properties}


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
        self.code = self.function_code({path.name: path.read_text() for path in FUNCTION.glob("*.py")})

    def function_code(self, files: dict[str, str]) -> dict[str, str]:
        """Upload the code of a function; gives its place."""
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as packed:
            for name, text in files.items():
                packed.writestr(name, text)
        return self._asset(archive.getvalue(), "zip")

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
        return {
            "Artifacts": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": self.bucket}},
            "Function": function(self.code),
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

    def event(self, resource: str, request: str = "Update") -> dict[str, Any]:
        """What CloudFormation asks the function for, about a resource of the present sources."""
        described = self.template()[resource]
        return {
            "RequestType": request,
            "ResourceType": described["Type"],
            "ResourceProperties": described["Properties"],
            "StackId": self.cloudformation.describe_stacks(StackName=self.name)["Stacks"][0]["StackId"],
            "RequestId": "request-1",
            "LogicalResourceId": resource,
            "PhysicalResourceId": "as before",
        }

    def update_job(self) -> None:
        """Do what CloudFormation does with the job itself: UpdateJob, without a DAG."""
        definition = {key: value for key, value in self.template()["Job"]["Properties"].items() if key != "Name"}
        self.glue.update_job(JobName=self.job, JobUpdate=definition)

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

    def rename(self, name: str = "Only once") -> None:
        """Rename a node in the sources."""
        self.dag["node-2"]["DropDuplicates"]["Name"] = name

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

    def record(self) -> dict[str, Any]:
        """What is noted of the registration."""
        return json.loads(self._object("registered.json"))

    def take_saved_edits(self) -> list[dict[str, Any]]:
        """The DAGs that were saved before they were overwritten, taken out of the bucket."""
        saved = [key for key in self.keys() if key.startswith("edited-")]
        edits = [json.loads(self._object(key)) for key in saved]
        for key in saved:
            self.s3.delete_object(Bucket=self.bucket, Key=f"visual-jobs/films/{key}")
        return edits

    def _object(self, key: str) -> bytes:
        return self.s3.get_object(Bucket=self.bucket, Key=f"visual-jobs/films/{key}")["Body"].read()

    def nodes(self) -> dict[str, Any]:
        """The DAG of the present sources as it stands on AWS."""
        text = json.dumps(self.dag)
        for name, value in self.values.items():
            text = text.replace(f"<<value:{name}>>", value)
        return json.loads(text)

    def registered(self) -> bool:
        """Whether the job is what the sources say, and runs their script."""
        job = self.definition()
        same = job.get("CodeGenConfigurationNodes") == self.nodes() and job["NumberOfWorkers"] == self.workers
        return same and job["JobMode"] == "VISUAL" and self.runs() == self.script
