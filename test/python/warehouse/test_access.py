"""What analysts may do: read what is for them, after each run as before, and change nothing."""

from __future__ import annotations

import json
import uuid

import boto3
import pytest
from running_cloud import RunningCloud
from warehouse.support import Warehouse
from warehouse.test_loads import film, movies

READABLE = [
    "analytics.movies",
    "analytics.movie_people",
    "analytics.quarantine",
    "marts.box_office_by_year",
    "audit.loads",
]
CHANGES = [
    "insert into marts.box_office_by_year (release_year) values (2000)",
    "delete from analytics.movies",
    "drop table analytics.movies",
    "create table marts.mine (a integer)",
    "call marts.rebuild()",
    "grant usage on schema history to role analyst",
    "unload ('select * from analytics.movies') to 's3://elsewhere/' iam_role 'arn:aws:iam::000000000000:role/copy'",
]


@pytest.fixture(scope="module")
def warehouse(cloud: RunningCloud) -> Warehouse:
    """A warehouse with a film in it."""
    loaded = Warehouse(cloud).create().apply_schema()
    loaded.load("2024-01-01", movies=movies(film(1)))
    return loaded


def assume(warehouse: Warehouse, **tags: str) -> Warehouse:
    """The warehouse as somebody sees it who assumed an IAM role with these tags."""
    name = f"reader-{uuid.uuid4().hex[:8]}"
    trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}]}
    role = warehouse.cloud.client("iam").create_role(
        RoleName=name,
        AssumeRolePolicyDocument=json.dumps(trust),
        Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
    )["Role"]
    credentials = warehouse.cloud.client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="ada")["Credentials"]
    data = boto3.client(
        "redshift-data",
        endpoint_url=warehouse.cloud.url,
        region_name="us-east-1",
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials["SessionToken"],
    )
    return warehouse.seen_by(data)


@pytest.fixture(scope="module")
def analyst(warehouse: Warehouse) -> Warehouse:
    """The warehouse as an analyst sees it, by the tag that the stack gives the role."""
    return assume(warehouse, RedshiftDbRoles="analyst")


@pytest.mark.parametrize("table", READABLE)
def test_an_analyst_reads(analyst: Warehouse, table: str) -> None:
    assert analyst.rows(f"select count(*) from {table}")[0][0] >= 0


@pytest.mark.parametrize("schema", ["history", "staging"])
def test_an_analyst_does_not_see_how_it_comes_about(analyst: Warehouse, schema: str) -> None:
    assert f"permission denied for schema {schema}" in analyst.refused(f"select * from {schema}.movies")
    mixed = f"select * from analytics.movies as a join {schema}.movies as b on a.imdb_id = b.imdb_id"
    assert f"permission denied for schema {schema}" in analyst.refused(mixed)


@pytest.mark.parametrize("change", CHANGES)
def test_an_analyst_changes_nothing(analyst: Warehouse, change: str) -> None:
    assert "permission denied" in analyst.refused(change)
    assert analyst.rows("select count(*) from analytics.movies") == [[1]]


def test_tables_that_a_run_makes_anew_stay_readable(warehouse: Warehouse, analyst: Warehouse) -> None:
    """Also when the schema is applied again, as each run does."""
    warehouse.apply_schema().load("2024-01-02", movies=movies(film(1, "Newer")))
    assert analyst.rows("select title from analytics.movies") == [["Newer"]]
    warehouse.load("2024-01-02", movies=movies())
    assert analyst.rows("select title from analytics.movies") == [["Film 1"]]


def test_without_the_tag_nothing_is_readable(warehouse: Warehouse) -> None:
    for nobody in (
        assume(warehouse),
        assume(warehouse, RedshiftDbRoles="accountant"),
        assume(warehouse, team="analyst"),
    ):
        assert "permission denied for schema marts" in nobody.refused("select * from marts.box_office_by_year")
