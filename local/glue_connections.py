"""Glue connections: how a job reaches a warehouse, as strict as the service.

ministack keeps them; the operations are answered here, because it takes any request, overwrites a connection that
exists, and shows passwords. https://docs.aws.amazon.com/glue/latest/webapi/API_Connection.html
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable

from ministack.services import glue as store
from ministack.services.cloudformation import provisioners

from local.cloud import ApiError, Cloud
from local.glue_catalog import checked

SECRETS = ("PASSWORD", "ENCRYPTED_PASSWORD")
# Of the request alone: nothing that a connection has.
ASKED = ("ValidateCredentials", "ValidateForComputeEnvironments")


def install(cloud: Cloud) -> None:
    """Answer the operations on connections and add their CloudFormation type."""
    cloud.override_glue({name: checked(name, operation) for name, operation in OPERATIONS.items()})
    resource = Resource(cloud)
    cloud.resource("AWS::Glue::Connection", resource.create, resource.update, resource.delete)


def _create(request: dict) -> dict:
    given = request["ConnectionInput"]
    if given["Name"] in store._connections:
        raise ApiError("AlreadyExistsException", f"Connection {given['Name']} already exists.")
    now = int(time.time())
    store._connections[given["Name"]] = {
        **_known(given),
        "CreationTime": now,
        "LastUpdatedTime": now,
        "Status": "READY",
    }
    return {"CreateConnectionStatus": "READY"}


def _get(request: dict) -> dict:
    return {"Connection": _shown(_connection(request["Name"]), request)}


def _get_all(request: dict) -> dict:
    wanted = request.get("Filter", {})
    found = [
        _shown(connection, request)
        for connection in store._connections.values()
        if wanted.get("ConnectionType", connection["ConnectionType"]) == connection["ConnectionType"]
        and set(wanted.get("MatchCriteria", [])) <= set(connection.get("MatchCriteria", []))
    ]
    found.sort(key=lambda connection: connection["Name"])
    start = int(request.get("NextToken") or 0)
    end = start + int(request.get("MaxResults") or 100)
    more = {"NextToken": str(end)} if end < len(found) else {}
    return {"ConnectionList": found[start:end], **more}


def _update(request: dict) -> dict:
    old = _connection(request["Name"])
    given = {**_known(request["ConnectionInput"]), "Name": old["Name"]}
    kept = {name: old[name] for name in ("CreationTime", "Status") if name in old}
    store._connections[old["Name"]] = {**given, **kept, "LastUpdatedTime": int(time.time())}
    return {}


def _delete(request: dict) -> dict:
    del store._connections[_connection(request["ConnectionName"])["Name"]]
    return {}


def _known(given: dict) -> dict:
    return {name: value for name, value in given.items() if name not in ASKED}


def _connection(name: str) -> dict:
    if name not in store._connections:
        raise ApiError("EntityNotFoundException", f"Connection {name} not found.")
    return store._connections[name]


def _shown(connection: dict, request: dict) -> dict:
    properties = connection.get("ConnectionProperties", {})
    if request.get("HidePassword"):
        properties = {name: value for name, value in properties.items() if name not in SECRETS}
    return {**connection, "ConnectionProperties": properties}


class Resource:
    """AWS::Glue::Connection."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def create(self, logical_id: str, properties: dict, stack: str) -> tuple[str, dict]:
        """Create it under its name, or one made of the stack's."""
        given = properties["ConnectionInput"]
        name = given.get("Name") or provisioners._physical_name(stack, logical_id, max_len=255)
        self._cloud.client("glue").create_connection(ConnectionInput=_input(given, name))
        return name, {}

    def update(self, name: str, _old: dict, new: dict, _stack: str) -> tuple[str, dict]:
        """Replace the definition under the same name."""
        given = new["ConnectionInput"]
        if given.get("Name", name) != name:
            raise ValueError(f"the local cloud cannot rename the connection {name}; delete the stack and deploy anew")
        self._cloud.client("glue").update_connection(Name=name, ConnectionInput=_input(given, name))
        return name, {}

    def delete(self, name: str, _properties: dict) -> None:
        """Delete it; what is gone already is no error."""
        glue = self._cloud.client("glue")
        with contextlib.suppress(glue.exceptions.EntityNotFoundException):
            glue.delete_connection(ConnectionName=name)


def _input(given: dict, name: str) -> dict:
    """The API demands properties where CloudFormation does not."""
    return {"ConnectionProperties": {}, **given, "Name": name}


OPERATIONS: dict[str, Callable[[dict], dict]] = {
    "CreateConnection": _create,
    "DeleteConnection": _delete,
    "GetConnection": _get,
    "GetConnections": _get_all,
    "UpdateConnection": _update,
}
