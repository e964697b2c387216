"""The Glue Data Catalog's operations, where ministack's own are too lenient."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError
from glue.support import Lake
from running_cloud import RunningCloud


@pytest.fixture
def lake(cloud: RunningCloud) -> Lake:
    """An empty bucket and an empty database."""
    return Lake(cloud)


def _table(name: str, *keys: str) -> dict:
    storage = {"Columns": [{"Name": "id", "Type": "string"}], "Location": "s3://bucket/t/"}
    return {"Name": name, "StorageDescriptor": storage, "PartitionKeys": [{"Name": k, "Type": "string"} for k in keys]}


@pytest.fixture
def table(lake: Lake) -> str:
    """A table with one partition key."""
    lake.glue.create_table(DatabaseName=lake.name, TableInput=_table("t", "day"))
    return "t"


def _add(lake: Lake, table: str, *values: str) -> None:
    lake.glue.create_partition(DatabaseName=lake.name, TableName=table, PartitionInput={"Values": list(values)})


def _code(error: pytest.ExceptionInfo[ClientError]) -> str:
    return error.value.response["Error"]["Code"]


def test_members_that_only_a_read_table_has_are_refused(lake: Lake) -> None:
    # boto3 would refuse it itself; Step Functions sends what it is given.
    given = {**_table("t"), "DatabaseName": lake.name, "CreateTime": 1}
    answer = _raw(lake, "CreateTable", {"DatabaseName": lake.name, "TableInput": given})

    assert answer.status == 400
    assert b'Unknown parameter in TableInput: \\"DatabaseName\\"' in answer.body


def test_names_are_lower_case(lake: Lake) -> None:
    lake.glue.create_table(DatabaseName=lake.name, TableInput=_table("Movies"))

    assert lake.table("MOVIES")["Name"] == "movies"
    with pytest.raises(lake.glue.exceptions.AlreadyExistsException):
        lake.glue.create_table(DatabaseName=lake.name, TableInput=_table("movies"))


def test_an_update_replaces_the_table(lake: Lake, table: str) -> None:
    given = {**_table(table, "day"), "Parameters": {"a": "1"}}
    lake.glue.update_table(DatabaseName=lake.name, TableInput=given)
    lake.glue.update_table(DatabaseName=lake.name, TableInput=_table(table, "day"))

    assert "Parameters" not in lake.table(table)


def test_a_partition_needs_its_table_and_one_value_a_key(lake: Lake, table: str) -> None:
    with pytest.raises(lake.glue.exceptions.EntityNotFoundException):
        _add(lake, "absent", "2024-01-01")
    with pytest.raises(lake.glue.exceptions.InvalidInputException):
        _add(lake, table, "2024", "01")
    _add(lake, table, "2024-01-01")
    with pytest.raises(lake.glue.exceptions.AlreadyExistsException):
        _add(lake, table, "2024-01-01")


def test_a_deleted_table_takes_its_partitions_along(lake: Lake, table: str) -> None:
    _add(lake, table, "2024-01-01")
    lake.glue.delete_table(DatabaseName=lake.name, Name=table)
    lake.glue.create_table(DatabaseName=lake.name, TableInput=_table(table, "day"))

    with pytest.raises(lake.glue.exceptions.EntityNotFoundException):
        lake.partition(table, "2024-01-01")
    with pytest.raises(lake.glue.exceptions.EntityNotFoundException):
        lake.glue.delete_table(DatabaseName=lake.name, Name="absent")


def test_partitions_come_in_pages_and_by_expression(lake: Lake, table: str) -> None:
    for day in range(1, 8):
        _add(lake, table, f"2024-01-0{day}")

    pages = list(
        lake.glue.get_paginator("get_partitions").paginate(
            DatabaseName=lake.name, TableName=table, PaginationConfig={"PageSize": 3}
        )
    )
    chosen = lake.glue.get_partitions(
        DatabaseName=lake.name,
        TableName=table,
        Expression="day between '2024-01-02' and '2024-01-03' or day = '2024-01-07'",
    )["Partitions"]

    assert [len(page["Partitions"]) for page in pages] == [3, 3, 1]
    assert [part["Values"] for part in chosen] == [["2024-01-02"], ["2024-01-03"], ["2024-01-07"]]
    with pytest.raises(lake.glue.exceptions.InvalidInputException):
        lake.glue.get_partitions(DatabaseName=lake.name, TableName=table, Expression="no such thing")


def test_tables_come_in_pages_and_by_pattern(lake: Lake) -> None:
    for name in ("movies", "movie_genres", "ratings"):
        lake.glue.create_table(DatabaseName=lake.name, TableInput=_table(name))

    pages = list(
        lake.glue.get_paginator("get_tables").paginate(DatabaseName=lake.name, PaginationConfig={"PageSize": 2})
    )
    chosen = lake.glue.get_tables(DatabaseName=lake.name, Expression="movie*")["TableList"]

    assert [[t["Name"] for t in page["TableList"]] for page in pages] == [["movie_genres", "movies"], ["ratings"]]
    assert [table["Name"] for table in chosen] == ["movie_genres", "movies"]
    with pytest.raises(lake.glue.exceptions.EntityNotFoundException):
        lake.glue.get_tables(DatabaseName="absent")


def test_partitions_change_in_batches(lake: Lake, table: str) -> None:
    parts = [{"Values": [day]} for day in ("2024-01-01", "2024-01-02")]
    lake.glue.batch_create_partition(DatabaseName=lake.name, TableName=table, PartitionInputList=parts[:1])

    answer = lake.glue.batch_create_partition(DatabaseName=lake.name, TableName=table, PartitionInputList=parts)
    changed = {"Values": ["2024-01-02"], "Parameters": {"a": "1"}}
    lake.glue.batch_update_partition(
        DatabaseName=lake.name,
        TableName=table,
        Entries=[{"PartitionValueList": ["2024-01-02"], "PartitionInput": changed}],
    )
    gone = lake.glue.batch_delete_partition(
        DatabaseName=lake.name, TableName=table, PartitionsToDelete=[{"Values": ["2024-01-01"]}, {"Values": ["x"]}]
    )

    assert [error["ErrorDetail"]["ErrorCode"] for error in answer["Errors"]] == ["AlreadyExistsException"]
    assert lake.partition(table, "2024-01-02")["Parameters"] == {"a": "1"}
    assert [error["PartitionValues"] for error in gone["Errors"]] == [["x"]]


class _Answer:
    def __init__(self, status: int, body: bytes) -> None:
        self.status = status
        self.body = body


def _raw(lake: Lake, operation: str, request: dict) -> _Answer:
    """Call Glue without a client's own checks."""
    import json
    import urllib.error
    import urllib.request

    headers = {"X-Amz-Target": f"AWSGlue.{operation}", "Content-Type": "application/x-amz-json-1.1"}
    headers["Authorization"] = (
        "AWS4-HMAC-SHA256 Credential=test/20240101/us-east-1/glue/aws4_request, SignedHeaders=host, Signature=x"
    )
    call = urllib.request.Request(lake.cloud.url, json.dumps(request).encode(), headers)
    try:
        with urllib.request.urlopen(call, timeout=30) as answer:
            return _Answer(answer.status, answer.read())
    except urllib.error.HTTPError as error:
        return _Answer(error.code, error.read())
