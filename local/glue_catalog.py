"""The Glue Data Catalog: tables and partitions, as strict as the service.

ministack keeps databases, tables and partitions; the operations are answered here, because it takes members that the
API does not know, pages nothing, ignores expressions, and makes partitions of tables that do not exist.
https://docs.aws.amazon.com/glue/latest/webapi/API_Table.html
"""

from __future__ import annotations

import fnmatch
import re
import threading
import time
from collections.abc import Callable

import botocore.session
import duckdb
from botocore.validate import ParamValidator
from ministack.core.responses import get_account_id
from ministack.services import glue as store

from local.cloud import ApiError, Cloud

Operation = Callable[[dict], dict]

LOCK = threading.RLock()
GLUE = botocore.session.get_session().get_service_model("glue")


def install(cloud: Cloud) -> None:
    """Answer the catalog's operations."""
    cloud.override_glue({name: checked(name, operation) for name, operation in OPERATIONS.items()})


def checked(name: str, operation: Operation) -> Operation:
    """The operation behind a check of its request against the service's model: missing, unknown or mistyped members."""
    shape = GLUE.operation_model(name).input_shape

    def check_and_answer(request: dict) -> dict:
        report = ParamValidator().validate(request, shape)
        if report.has_errors():
            raise ApiError("ValidationException", report.generate_report())
        with LOCK:
            return operation(request)

    return check_and_answer


def _create_table(request: dict) -> dict:
    database, given = _database(request), request["TableInput"]
    name = given["Name"].lower()
    key = f"{database}/{name}"
    if key in store._tables:
        raise ApiError("AlreadyExistsException", f"Table {name} already exists in database {database}.")
    now = int(time.time())
    store._tables[key] = {
        **given,
        "Name": name,
        "DatabaseName": database,
        "CatalogId": get_account_id(),
        "CreateTime": now,
        "UpdateTime": now,
        "IsRegisteredWithLakeFormation": False,
        "VersionId": "0",
    }
    return {}


def _update_table(request: dict) -> dict:
    given = request["TableInput"]
    key, old = _table(request, given["Name"])
    version = old.get("VersionId") or "0"
    if request.get("VersionId", version) != version:
        raise ApiError("ConcurrentModificationException", f"Table {old['Name']} is at version {version}.")
    kept = ("DatabaseName", "CatalogId", "CreateTime", "IsRegisteredWithLakeFormation")
    store._tables[key] = {
        **given,
        **{name: old[name] for name in kept if name in old},
        "Name": old["Name"],
        "UpdateTime": int(time.time()),
        "VersionId": str(int(version) + 1),
    }
    return {}


def _get_table(request: dict) -> dict:
    return {"Table": _present(_table(request, request["Name"])[1])}


def _get_tables(request: dict) -> dict:
    database = _database(request)
    pattern = request.get("Expression", "*")
    tables = [_present(table) for key, table in store._tables.items() if key.startswith(f"{database}/")]
    tables = sorted((table for table in tables if _matches(pattern, table["Name"])), key=lambda table: table["Name"])
    return _page(request, "TableList", tables, 100)


def _matches(pattern: str, name: str) -> bool:
    """AWS documents a regular expression and takes `prefix*` as well."""
    if fnmatch.fnmatchcase(name, pattern):
        return True
    try:
        return re.fullmatch(pattern, name) is not None
    except re.error:
        return False


def _delete_table(request: dict) -> dict:
    key, _ = _table(request, request["Name"])
    for part in (store._tables, store._partitions, store._partition_indexes, store._table_column_statistics):
        part.pop(key, None)
    store._partition_column_statistics.pop(key, None)
    return {}


def _batch_delete_table(request: dict) -> dict:
    errors = []
    for name in request["TablesToDelete"]:
        try:
            _delete_table({**request, "Name": name})
        except ApiError as error:
            errors.append({"TableName": name, "ErrorDetail": _detail(error)})
    return {"Errors": errors} if errors else {}


def _create_partition(request: dict) -> dict:
    key, table = _table(request, request["TableName"])
    given = request["PartitionInput"]
    values = _values(table, given.get("Values", []))
    if _find(key, values) is not None:
        raise ApiError("AlreadyExistsException", f"Partition already exists: {values} of table {table['Name']}.")
    store._partitions.setdefault(key, []).append(_partition(table, given, int(time.time())))
    return {}


def _update_partition(request: dict) -> dict:
    key, table = _table(request, request["TableName"])
    old = _partition_of(key, table, request["PartitionValueList"])
    given = request["PartitionInput"]
    new = _partition(table, {"Values": old["Values"], **given}, old.get("CreationTime", int(time.time())))
    _values(table, new["Values"])
    partitions = store._partitions[key]
    partitions[partitions.index(old)] = new
    return {}


def _get_partition(request: dict) -> dict:
    key, table = _table(request, request["TableName"])
    return {"Partition": _present(_partition_of(key, table, request["PartitionValues"]))}


def _get_partitions(request: dict) -> dict:
    key, table = _table(request, request["TableName"])
    found = store._partitions.get(key, [])
    if expression := request.get("Expression"):
        found = _where(table, found, expression)
    partitions = [_present(part) for part in sorted(found, key=lambda part: part["Values"])]
    return _page(request, "Partitions", partitions, 1000)


def _delete_partition(request: dict) -> dict:
    key, table = _table(request, request["TableName"])
    store._partitions[key].remove(_partition_of(key, table, request["PartitionValues"]))
    return {}


def _batch(items: str, values: Callable[[dict], list[str]], one: Callable[[dict, dict], dict]) -> Operation:
    """An operation on a list of partitions that reports each one's error."""

    def operation(request: dict) -> dict:
        _table(request, request["TableName"])
        errors = []
        for item in request[items]:
            try:
                one(request, item)
            except ApiError as error:
                name = "PartitionValueList" if items == "Entries" else "PartitionValues"
                errors.append({name: values(item), "ErrorDetail": _detail(error)})
        return {"Errors": errors} if errors else {}

    return operation


def _batch_get_partition(request: dict) -> dict:
    key, _ = _table(request, request["TableName"])
    found = [(wanted, _find(key, wanted["Values"])) for wanted in request["PartitionsToGet"]]
    return {
        "Partitions": [_present(part) for _, part in found if part is not None],
        "UnprocessedKeys": [wanted for wanted, part in found if part is None],
    }


OPERATIONS: dict[str, Operation] = {
    "CreateTable": _create_table,
    "UpdateTable": _update_table,
    "GetTable": _get_table,
    "GetTables": _get_tables,
    "DeleteTable": _delete_table,
    "BatchDeleteTable": _batch_delete_table,
    "CreatePartition": _create_partition,
    "UpdatePartition": _update_partition,
    "GetPartition": _get_partition,
    "GetPartitions": _get_partitions,
    "DeletePartition": _delete_partition,
    "BatchCreatePartition": _batch(
        "PartitionInputList",
        lambda item: item.get("Values", []),
        lambda request, item: _create_partition({**request, "PartitionInput": item}),
    ),
    "BatchUpdatePartition": _batch(
        "Entries", lambda item: item["PartitionValueList"], lambda request, item: _update_partition({**request, **item})
    ),
    "BatchDeletePartition": _batch(
        "PartitionsToDelete",
        lambda item: item["Values"],
        lambda request, item: _delete_partition({**request, "PartitionValues": item["Values"]}),
    ),
    "BatchGetPartition": _batch_get_partition,
}


def _database(request: dict) -> str:
    name = request["DatabaseName"].lower()
    if name not in store._databases:
        raise ApiError("EntityNotFoundException", f"Database {name} not found.")
    return name


def _table(request: dict, name: str) -> tuple[str, dict]:
    database = _database(request)
    key = f"{database}/{name.lower()}"
    if key not in store._tables:
        raise ApiError("EntityNotFoundException", f"Entity Not Found: table {name} in database {database}.")
    return key, store._tables[key]


def _values(table: dict, values: list[str]) -> list[str]:
    if len(values) != len(table.get("PartitionKeys") or []):
        raise ApiError(
            "InvalidInputException",
            "The number of partition keys do not match the number of partition values: "
            f"table {table['Name']} has {len(table.get('PartitionKeys') or [])} keys, the values are {values}.",
        )
    return values


def _find(key: str, values: list[str]) -> dict | None:
    return next((part for part in store._partitions.get(key, []) if part["Values"] == values), None)


def _partition_of(key: str, table: dict, values: list[str]) -> dict:
    part = _find(key, values)
    if part is None:
        raise ApiError("EntityNotFoundException", f"Cannot find partition {values} of table {table['Name']}.")
    return part


def _partition(table: dict, given: dict, created: int) -> dict:
    return {
        **given,
        "DatabaseName": table["DatabaseName"],
        "TableName": table["Name"],
        "CreationTime": created,
        "CatalogId": get_account_id(),
    }


def _where(table: dict, partitions: list[dict], expression: str) -> list[dict]:
    """The partitions that meet a SQL condition on the partition keys."""
    keys = table.get("PartitionKeys") or []
    names = ", ".join(f'"{key["Name"]}"' for key in keys)
    casts = ", ".join(f'cast("{key["Name"]}" as {_duckdb_type(key["Type"])}) as "{key["Name"]}"' for key in keys)
    rows = [[index, *part["Values"]] for index, part in enumerate(partitions)]
    if not rows:
        return []
    marks = ", ".join("(" + ", ".join("?" * (len(keys) + 1)) + ")" for _ in rows)
    query = f"with parts as (select __index, {casts} from (values {marks}) as given(__index, {names}))"
    with duckdb.connect(config={"enable_external_access": False}) as connection:
        try:
            met = connection.execute(
                f"{query} select __index from parts where {expression}", [value for row in rows for value in row]
            ).fetchall()
        except duckdb.Error as error:
            raise ApiError("InvalidInputException", f"Unsupported expression {expression!r}: {error}") from error
    return [partitions[index] for (index,) in met]


def _duckdb_type(kind: str) -> str:
    return "varchar" if kind in ("string", "char") else kind


def _page(request: dict, name: str, items: list[dict], most: int) -> dict:
    """One page of a list; the token is the place where the next begins."""
    start = int(request.get("NextToken") or 0)
    end = start + min(int(request.get("MaxResults") or most), most)
    return {name: items[start:end], **({"NextToken": str(end)} if end < len(items) else {})}


def _present(item: dict) -> dict:
    """Without the members that ministack keeps as null; AWS leaves them out."""
    return {name: value for name, value in item.items() if value is not None}


def _detail(error: ApiError) -> dict:
    return {"ErrorCode": error.code, "ErrorMessage": error.message}
