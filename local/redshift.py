"""Redshift Serverless: namespaces, workgroups and the databases behind them.

A namespace holds the databases and the admin's credentials, a workgroup is what queries are sent to. The shapes are
those of the API, which CloudFormation's types repeat with other capitals:
https://docs.aws.amazon.com/redshift-serverless/latest/APIReference/Welcome.html
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_RedshiftServerless.html
"""

from __future__ import annotations

import json
import re
import secrets
import shutil
import threading
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from local.cloud import ACCOUNT, REGION, ApiError, Cloud, arn
from local.redshift_data import DataApi
from local.redshift_engine import Database

NAME = re.compile(r"[a-z0-9-]{3,64}")
RPU_STEPS = {4, *range(8, 513, 8), *range(544, 1025, 32)}

NAMESPACE_SETTINGS = {
    "adminPasswordSecretKmsKeyId",
    "adminUserPassword",
    "adminUsername",
    "dbName",
    "defaultIamRoleArn",
    "finalSnapshotName",
    "finalSnapshotRetentionPeriod",
    "iamRoles",
    "kmsKeyId",
    "logExports",
    "manageAdminPassword",
    "namespaceName",
    "tags",
}
WORKGROUP_SETTINGS = {
    "baseCapacity",
    "configParameters",
    "enhancedVpcRouting",
    "ipAddressType",
    "maxCapacity",
    "namespaceName",
    "port",
    "pricePerformanceTarget",
    "publiclyAccessible",
    "securityGroupIds",
    "subnetIds",
    "tags",
    "trackName",
    "workgroupName",
}
# Settings that are no part of what Get answers.
UNSEEN = {"adminUserPassword", "manageAdminPassword", "finalSnapshotName", "finalSnapshotRetentionPeriod", "tags"}


def install(cloud: Cloud) -> None:
    """Add the control plane, the Data API and the CloudFormation types."""
    serverless = Serverless(cloud)
    data = DataApi(cloud, serverless)
    cloud.serve("redshift-serverless", "RedshiftServerless", serverless.operations())
    cloud.serve("redshift-data", "RedshiftData", data.operations())
    cloud.on_stop(serverless.close)
    for kind in ("Namespace", "Workgroup"):
        _Type(serverless, kind).install(cloud)


class Serverless:
    """The namespaces and workgroups of the account, and their databases."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        store = cloud.keep("redshift_serverless", {"namespaces": {}, "workgroups": {}})
        self.namespaces: dict[str, dict] = store["namespaces"]
        self.workgroups: dict[str, dict] = store["workgroups"]
        self._databases: dict[Path, Database] = {}
        self._lock = threading.Lock()

    def operations(self) -> dict[str, Any]:
        """The operations of the API by name."""
        return {
            "CreateNamespace": lambda r: {"namespace": seen(self.create_namespace(r))},
            "UpdateNamespace": lambda r: {"namespace": seen(self.update_namespace(r))},
            "DeleteNamespace": lambda r: {"namespace": seen(self.delete_namespace(r["namespaceName"]))},
            "GetNamespace": lambda r: {"namespace": seen(self.namespace(r["namespaceName"]))},
            "ListNamespaces": lambda r: {"namespaces": [seen(item) for item in self.namespaces.values()]},
            "CreateWorkgroup": lambda r: {"workgroup": seen(self.create_workgroup(r))},
            "UpdateWorkgroup": lambda r: {"workgroup": seen(self.update_workgroup(r))},
            "DeleteWorkgroup": lambda r: {"workgroup": seen(self.delete_workgroup(r["workgroupName"]))},
            "GetWorkgroup": lambda r: {"workgroup": seen(self.workgroup(r["workgroupName"]))},
            "ListWorkgroups": lambda r: {"workgroups": [seen(item) for item in self.workgroups.values()]},
        }

    # Namespaces -------------------------------------------------------------------------------------------------------

    def namespace(self, name: str) -> dict:
        """The namespace of this name."""
        return _existing(self.namespaces, name, "namespace")

    def create_namespace(self, request: dict) -> dict:
        """Create a namespace; with manageAdminPassword its secret is put into Secrets Manager."""
        name = _new(request, "namespaceName", NAMESPACE_SETTINGS, self.namespaces)
        if request.get("manageAdminPassword") and "adminUserPassword" in request:
            raise ApiError("ValidationException", "manageAdminPassword and adminUserPassword exclude each other")
        identity = str(uuid.uuid4())
        namespace = {
            "adminUsername": "admin",
            "dbName": "dev",
            "iamRoles": [],
            "logExports": [],
            **request,
            "namespaceId": identity,
            "namespaceArn": arn("redshift-serverless", f"namespace/{identity}"),
            "creationDate": _now(),
            "status": "AVAILABLE",
        }
        if request.get("manageAdminPassword"):
            namespace["adminPasswordSecretArn"] = self._create_secret(namespace)
        self.namespaces[name] = namespace
        self._cloud.changed()
        return namespace

    def _create_secret(self, namespace: dict) -> str:
        content = {"username": namespace["adminUsername"], "password": secrets.token_urlsafe(24)}
        key = namespace.get("adminPasswordSecretKmsKeyId")
        created = self._cloud.client("secretsmanager").create_secret(
            Name=f"redshift!{namespace['namespaceName']}-{namespace['adminUsername']}",
            Description=f"Secret associated with Amazon Redshift namespace {namespace['namespaceArn']}.",
            SecretString=json.dumps(content),
            **({"KmsKeyId": key} if key else {}),
        )
        return created["ARN"]

    def update_namespace(self, request: dict) -> dict:
        """Change settings; the database's name is for ever."""
        namespace = self.namespace(request["namespaceName"])
        _known(request, NAMESPACE_SETTINGS)
        if request.get("dbName", namespace["dbName"]) != namespace["dbName"]:
            raise ApiError("ValidationException", "dbName cannot be changed")
        if request.get("manageAdminPassword") and "adminPasswordSecretArn" not in namespace:
            namespace["adminPasswordSecretArn"] = self._create_secret({**namespace, **request})
        namespace.update(request)
        self._cloud.changed()
        return namespace

    def delete_namespace(self, name: str) -> dict:
        """Delete a namespace with its databases and its secret."""
        namespace = self.namespace(name)
        if users := [item["workgroupName"] for item in self.workgroups.values() if item["namespaceName"] == name]:
            raise ApiError("ConflictException", f"namespace {name} is used by the workgroup {users[0]}", 409)
        folder = self._folder(name)
        with self._lock:
            for path in [path for path in self._databases if path.parent == folder]:
                self._databases.pop(path).close()
        shutil.rmtree(folder, ignore_errors=True)
        if secret := namespace.get("adminPasswordSecretArn"):
            self._cloud.client("secretsmanager").delete_secret(SecretId=secret, ForceDeleteWithoutRecovery=True)
        del self.namespaces[name]
        self._cloud.changed()
        return {**namespace, "status": "DELETING"}

    # Workgroups -------------------------------------------------------------------------------------------------------

    def workgroup(self, name: str) -> dict:
        """The workgroup of this name."""
        return _existing(self.workgroups, name, "workgroup")

    def create_workgroup(self, request: dict) -> dict:
        """Create a workgroup for a namespace."""
        name = _new(request, "workgroupName", WORKGROUP_SETTINGS, self.workgroups)
        self.namespace(request.get("namespaceName", ""))
        identity = str(uuid.uuid4())
        workgroup = {
            "baseCapacity": 128,
            "configParameters": [],
            "enhancedVpcRouting": False,
            "publiclyAccessible": False,
            "port": 5439,
            "securityGroupIds": [],
            "subnetIds": [],
            **request,
            "workgroupId": identity,
            "workgroupArn": arn("redshift-serverless", f"workgroup/{identity}"),
            "creationDate": _now(),
            "status": "AVAILABLE",
        }
        self._check_workgroup(workgroup)
        self.workgroups[name] = workgroup
        self._cloud.changed()
        return workgroup

    def update_workgroup(self, request: dict) -> dict:
        """Change settings; the namespace is for ever."""
        workgroup = self.workgroup(request["workgroupName"])
        _known(request, WORKGROUP_SETTINGS)
        if request.get("namespaceName", workgroup["namespaceName"]) != workgroup["namespaceName"]:
            raise ApiError("ValidationException", "namespaceName cannot be changed")
        changed = {**workgroup, **request}
        self._check_workgroup(changed)
        workgroup.update(changed)
        self._cloud.changed()
        return workgroup

    def _check_workgroup(self, workgroup: dict) -> None:
        """What AWS refuses: https://docs.aws.amazon.com/redshift/latest/mgmt/serverless-capacity.html"""
        for key in ("baseCapacity", "maxCapacity", "port"):
            if key in workgroup:
                workgroup[key] = int(workgroup[key])
        for key in ("enhancedVpcRouting", "publiclyAccessible"):
            workgroup[key] = str(workgroup[key]).lower() == "true"
        base = workgroup["baseCapacity"]
        if base not in RPU_STEPS:
            raise ApiError("ValidationException", f"baseCapacity {base}: want 4, or 8 to 512 in steps of 8")
        if workgroup.get("maxCapacity", base) < base:
            raise ApiError("ValidationException", "maxCapacity is below baseCapacity")
        self._check_zones(workgroup)
        address = f"{workgroup['workgroupName']}.{ACCOUNT}.{REGION}.redshift-serverless.amazonaws.com"
        workgroup["endpoint"] = {"address": address, "port": workgroup["port"], "vpcEndpoints": []}

    def _check_zones(self, workgroup: dict) -> None:
        """Enhanced VPC routing wants three subnets in three zones."""
        if not workgroup["enhancedVpcRouting"] or not workgroup["subnetIds"]:
            return
        found = self._cloud.client("ec2").describe_subnets(SubnetIds=workgroup["subnetIds"])["Subnets"]
        if len({subnet["AvailabilityZone"] for subnet in found}) < 3:
            raise ApiError("ValidationException", "enhanced VPC routing needs subnets in three availability zones")

    def delete_workgroup(self, name: str) -> dict:
        """Delete a workgroup; the data stays with the namespace."""
        workgroup = self.workgroup(name)
        del self.workgroups[name]
        self._cloud.changed()
        return {**workgroup, "status": "DELETING"}

    # Databases --------------------------------------------------------------------------------------------------------

    def databases(self, namespace: dict) -> list[str]:
        """The names of a namespace's databases: the one that it was made with."""
        return [namespace["dbName"]]

    def database(self, namespace: dict, name: str) -> Database:
        """Open a database; it stays open."""
        path = self._folder(namespace["namespaceName"]) / f"{name}.duckdb"
        with self._lock:
            if path not in self._databases:
                self._databases[path] = Database(path)
            return self._databases[path]

    def _folder(self, namespace: str) -> Path:
        return self._cloud.state_dir / "warehouse" / namespace

    def close(self) -> None:
        """Close all databases."""
        with self._lock:
            for database in self._databases.values():
                database.close()
            self._databases.clear()


class _Type:
    """A CloudFormation type on top of the API's operations."""

    def __init__(self, serverless: Serverless, kind: str) -> None:
        self._kind = kind
        self._name = f"{kind}Name"
        self._create = getattr(serverless, f"create_{kind.lower()}")
        self._update = getattr(serverless, f"update_{kind.lower()}")
        self._delete = getattr(serverless, f"delete_{kind.lower()}")

    def install(self, cloud: Cloud) -> None:
        """Add the type to the cloud."""
        cloud.resource(f"AWS::RedshiftServerless::{self._kind}", self.create, self.update, self.delete)

    def create(self, _logical_id: str, properties: dict, _stack: str) -> tuple[str, dict]:
        """Create the resource; its physical id is its name."""
        return properties[self._name], self._attributes(self._create(_request(properties)))

    def update(self, physical_id: str, _old: dict, new: dict, _stack: str) -> tuple[str, dict]:
        """Change the resource in place."""
        if new[self._name] != physical_id:
            raise ValueError(f"{self._kind} {physical_id} cannot be renamed; delete the stack and deploy anew")
        return physical_id, self._attributes(self._update(_request(new)))

    def delete(self, physical_id: str, _properties: dict) -> None:
        """Delete the resource if it is still there."""
        try:
            self._delete(physical_id)
        except ApiError as error:
            if error.code != "ResourceNotFoundException":
                raise

    def _attributes(self, item: dict) -> dict:
        """`Namespace.DbName`, `Workgroup.Endpoint.Address` and so on."""
        attributes = {self._name: item[self._name[0].lower() + self._name[1:]]}
        for key, value in seen(item).items():
            name = f"{self._kind}.{key[0].upper()}{key[1:]}"
            if isinstance(value, dict):
                attributes.update({f"{name}.{part[0].upper()}{part[1:]}": str(it) for part, it in value.items()})
            else:
                attributes[name] = value
        return attributes


def _request(properties: dict) -> dict:
    """CloudFormation's properties as the API's members: the same names with a small first letter."""
    if isinstance(properties, dict):
        return {key[0].lower() + key[1:]: _request(value) for key, value in properties.items()}
    if isinstance(properties, list):
        return [_request(item) for item in properties]  # type: ignore[return-value]
    return {"true": True, "false": False}.get(properties, properties) if isinstance(properties, str) else properties  # type: ignore[return-value]


def seen(item: dict) -> dict:
    """What Get and List show of a namespace or workgroup."""
    return {key: value for key, value in item.items() if key not in UNSEEN}


def _existing(store: dict, name: str, kind: str) -> dict:
    if name not in store:
        raise ApiError("ResourceNotFoundException", f"The {kind} {name!r} does not exist", 404)
    return store[name]


def _new(request: dict, key: str, settings: set[str], store: dict) -> str:
    name = request.get(key, "")
    if not NAME.fullmatch(name):
        raise ApiError("ValidationException", f"{key} {name!r}: want 3 to 64 lower case letters, digits and hyphens")
    if name in store:
        raise ApiError("ConflictException", f"{key} {name!r} already exists", 409)
    _known(request, settings)
    return name


def _known(request: dict, settings: set[str]) -> None:
    if unknown := set(request) - settings:
        raise ApiError("ValidationException", f"the local cloud does not implement: {', '.join(sorted(unknown))}")


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
