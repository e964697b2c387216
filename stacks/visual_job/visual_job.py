"""Registers the DAG of a Glue job, so that the job opens in Glue Studio as a visual job.

CloudFormation's AWS::Glue::Job knows no CodeGenConfigurationNodes, and its updates reset them, because UpdateJob resets
what it is not told. So each job has two resources of this function's:

- Custom::VisualJobScript comes before the job. It stops a deployment that would overwrite what somebody has edited on
  the canvas, then uploads the tested script to where the job is about to run it from. That key has the hash of the
  script: each version has an object of its own, which stays until the deployment after the next, and so the job of a
  version that is rolled back to finds its script there. The resource's id never changes: a rollback does not call what
  a deployment has replaced.
- Custom::VisualJob comes after the job. It registers the DAG with the job's whole definition, then uploads the script
  once more, because Glue may have written one of its own in its place.

Beside the scripts lies a record: which version is registered, and the hashes of the DAGs that are ours. A DAG that is
on the job and not among them was edited there.

Both are idempotent, in whatever order a rollback calls them, and never stop one. Edits that are overwritten, because
that is asked for or because a rollback cannot be stopped, are saved beside the scripts.
"""

from __future__ import annotations

import hashlib
import json
import logging
import time
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

log = logging.getLogger(__name__)

# UpdateJob while Glue is at work on the job.
# https://docs.aws.amazon.com/glue/latest/webapi/API_UpdateJob.html
BUSY = "ConcurrentModificationException"
BUSY_ATTEMPTS = 6
BUSY_SECONDS = 5.0

RETRIES = Config(retries={"mode": "standard", "total_max_attempts": 6})
glue = boto3.client("glue", config=RETRIES)
s3 = boto3.client("s3", config=RETRIES)


class Stop(Exception):
    """What a person has to decide or mend; the text says what and how."""


def handle(event: dict[str, Any]) -> str:
    """Do what a request of CloudFormation asks for; gives the physical id of the resource."""
    job = VisualJob(event["ResourceProperties"])
    is_script = event["ResourceType"] == "Custom::VisualJobScript"
    if event["RequestType"] == "Delete":
        if is_script:
            job.delete_scripts()
        else:
            job.unregister()
        return event["PhysicalResourceId"]
    if is_script:
        job.prepare(event["StackId"])
        return f"script of {job.name}"
    job.register()
    return f"{job.name} as a visual job"


class VisualJob:
    """A job as a version of the project describes it."""

    def __init__(self, properties: dict[str, Any]) -> None:
        self.properties = properties
        # As text, since CloudFormation turns the numbers and booleans of properties into strings.
        self.definition = json.loads(properties["Job"])
        self.name = self.definition.pop("Name")
        self.script_location = self.definition["Command"]["ScriptLocation"]
        described = {name: properties[name] for name in ("Job", "Nodes", "Values", "Script")}
        self.version = _hash(described)

    # The two resources ----------------------------------------------------------------------------------------------

    def prepare(self, stack: str) -> None:
        """Stop if this would overwrite edits of the canvas; upload the script that the job is about to run."""
        nodes, record = self._registered_nodes(), self._record()
        edited = self._is_edited(nodes, record)
        is_registered = record.get("version") == self.version
        if edited and self.properties.get("DiscardEdits") != "true":
            if is_registered:
                return  # the rollback of a deployment that was stopped here: nothing was changed
            if not self._is_rolling_back(stack):
                raise Stop(self._edited_message())
        if edited:
            self._save_edits(nodes)
        self._check_values()
        self.delete_scripts()
        self._put_script()
        if is_registered and (edited or not nodes):
            # In a rollback, the job may go back after the resource that registers it, and lose the DAG by that.
            self.register()

    def _edited_message(self) -> str:
        return (
            f"The DAG of job {self.name} was edited on the canvas since it was registered. This deployment would "
            f"overwrite the edits and was stopped; the job is as it was. To take them home: "
            f"{self.properties['PullCommand']} ; then deploy again. To throw them away: "
            f"{self.properties['DiscardOption']} with the deployment."
        )

    def _is_rolling_back(self, stack: str) -> bool:
        stacks = boto3.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
        return "ROLLBACK" in stacks[0]["StackStatus"]

    def _save_edits(self, nodes: dict[str, Any]) -> None:
        """Keep a DAG that is about to be overwritten."""
        bucket, key = self._record_place()
        key = f"{key.rpartition('/')[0]}/edited-{self._digest(nodes)[:16]}.json"
        s3.put_object(Bucket=bucket, Key=key, Body=json.dumps(nodes).encode(), ContentType="application/json")
        log.warning("the DAG edited on the canvas of %s is in s3://%s/%s", self.name, bucket, key)

    def register(self) -> None:
        """Register the DAG with the job's whole definition; the tested script has the last word."""
        edits, record = self._registered_nodes(), self._record()
        if self._is_edited(edits, record):  # saved since the other resource looked
            self._save_edits(edits)
        # Should this end half-way, neither the old DAG nor the new one is taken for an edit.
        self._write_record({**record, "dags": [*record.get("dags", []), self._digest(self.nodes())]})
        try:
            self._update_job(self.request())
        except Exception:
            self._write_record(record)
            raise
        self._put_script()
        kept = self._registered_nodes()
        if not kept:
            raise Stop(f"Glue keeps no DAG of job {self.name}, though it took the one that was registered")
        self._write_record({"version": self.version, "dags": sorted({self._digest(kept), self._digest(self.nodes())})})
        log.info("registered %d nodes of %s", len(kept), self.name)

    def unregister(self) -> None:
        """Make the job, if it is there still, a job of its script alone; forget what was registered."""
        if self._registered_nodes():
            self._update_job({"JobName": self.name, "JobUpdate": {**self.definition, "JobMode": "SCRIPT"}})
            self._put_script()
        self._delete(*self._record_place())

    def delete_scripts(self) -> None:
        """Delete the scripts of all versions but the one that the job runs."""
        running = self._job().get("Command", {}).get("ScriptLocation")
        for location in self._scripts():
            if location != running:
                self._delete(*_place(location))

    def request(self) -> dict[str, Any]:
        """The parameters of UpdateJob."""
        visual = {"JobMode": "VISUAL", "CodeGenConfigurationNodes": self.nodes()}
        return {"JobName": self.name, "JobUpdate": {**self.definition, **visual}}

    def nodes(self) -> dict[str, Any]:
        """The DAG, with the values of this deployment in the place of their markers."""
        text = self._read(self.properties["Nodes"]).decode()
        for name, value in self.properties["Values"].items():
            text = text.replace(f"<<value:{name}>>", json.dumps(value)[1:-1])
        return json.loads(text)

    # What is on AWS -------------------------------------------------------------------------------------------------

    def _job(self) -> dict[str, Any]:
        try:
            return glue.get_job(JobName=self.name)["Job"]
        except ClientError as error:
            if _code(error) == "EntityNotFoundException":
                return {}
            raise

    def _registered_nodes(self) -> dict[str, Any]:
        return self._job().get("CodeGenConfigurationNodes") or {}

    def _is_edited(self, nodes: dict[str, Any], record: dict[str, Any]) -> bool:
        """Whether the job has a DAG that is neither a registered one nor the one that is to be registered.

        The second is how edits are taken home: they stand in the project when it is deployed again.
        """
        ours = {*record.get("dags", []), self._digest(self.nodes())}
        return bool(nodes) and self._digest(nodes) not in ours

    def _digest(self, nodes: dict[str, Any]) -> str:
        model = glue.meta.service_model.shape_for("CodeGenConfigurationNodes")
        return _hash(canonical(nodes, model))

    def _update_job(self, request: dict[str, Any]) -> None:
        for attempt in range(1, BUSY_ATTEMPTS + 1):
            try:
                glue.update_job(**request)
                return
            except ClientError as error:
                if _code(error) != BUSY or attempt == BUSY_ATTEMPTS:
                    raise
                time.sleep(BUSY_SECONDS)

    def _check_values(self) -> None:
        """Refuse values of which one contains another: `pipeline visual pull` could not tell them apart."""
        values = self.properties["Values"]
        for name, value in values.items():
            for other, text in values.items():
                if name != other and value in text:
                    raise Stop(
                        f"the value of {other}, {text!r}, contains that of {name}, {value!r}: rename one of them"
                    )

    # Files ----------------------------------------------------------------------------------------------------------

    def _put_script(self) -> None:
        bucket, key = _place(self.script_location)
        s3.put_object(Bucket=bucket, Key=key, Body=self._read(self.properties["Script"]))

    def _scripts(self) -> list[str]:
        """Where scripts of this job lie, of whatever version."""
        bucket, key = _place(self.script_location)
        try:
            listed = s3.list_objects_v2(Bucket=bucket, Prefix=f"{key.rpartition('/')[0]}/").get("Contents", [])
        except ClientError as error:
            if _code(error) == "NoSuchBucket":
                return []
            raise
        return [f"s3://{bucket}/{item['Key']}" for item in listed if item["Key"].endswith(".py")]

    def _record_place(self) -> tuple[str, str]:
        bucket, key = _place(self.script_location)
        return bucket, f"{key.rpartition('/')[0]}/registered.json"

    def _record(self) -> dict[str, Any]:
        bucket, key = self._record_place()
        try:
            return json.loads(self._read({"Bucket": bucket, "Key": key}))
        except ClientError as error:
            if _code(error) == "NoSuchKey":
                return {}
            raise

    def _write_record(self, record: dict[str, Any]) -> None:
        bucket, key = self._record_place()
        if not record:
            self._delete(bucket, key)
            return
        s3.put_object(Bucket=bucket, Key=key, Body=json.dumps(record).encode(), ContentType="application/json")

    def _read(self, place: dict[str, str]) -> bytes:
        return s3.get_object(Bucket=place["Bucket"], Key=place["Key"])["Body"].read()

    def _delete(self, bucket: str, key: str) -> None:
        try:
            s3.delete_object(Bucket=bucket, Key=key)
        except ClientError as error:
            if _code(error) != "NoSuchBucket":
                raise


def canonical(value: Any, shape: Any) -> Any:
    """A value of Glue's model without what means the same as leaving it out.

    That is what is empty, and a false where the model cannot tell false from absent: its BooleanValue has no null,
    other than BoxedBoolean, of which some are true by default.
    """
    if isinstance(value, dict):
        members = {
            name: canonical(item, shape.members[name] if shape.type_name == "structure" else shape.value)
            for name, item in value.items()
        }
        return {
            name: item
            for name, item in members.items()
            if item not in (None, "", [], {})
            and not (item is False and shape.type_name == "structure" and shape.members[name].name == "BooleanValue")
        }
    if isinstance(value, list):
        return [canonical(item, shape.member) for item in value]
    return value


def _hash(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def _place(location: str) -> tuple[str, str]:
    bucket, _, key = location.removeprefix("s3://").partition("/")
    return bucket, key


def _code(error: ClientError) -> str:
    return error.response["Error"]["Code"]
