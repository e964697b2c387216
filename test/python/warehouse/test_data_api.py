"""The Redshift Data API and the control plane of Redshift Serverless."""

from __future__ import annotations

import signal
from pathlib import Path

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from running_cloud import RunningCloud, wait_for
from warehouse.support import Warehouse, value


@pytest.fixture(scope="module")
def database(cloud: RunningCloud) -> Warehouse:
    """A warehouse without tables, shared by the tests of this module."""
    return Warehouse(cloud).create()


def code(error: pytest.ExceptionInfo[ClientError]) -> str:
    return error.value.response["Error"]["Code"]


def test_values_have_the_types_of_the_data_api(database: Warehouse) -> None:
    sql = """
        select cast(1 as smallint) as a, 2 as b, cast(3 as bigint) as c, cast(1.50 as decimal(5, 2)) as d,
            cast(0.25 as double precision) as e, true as f, 'é' as g, cast('2024-02-29' as date) as h,
            cast('2024-02-29 12:30:00.5' as timestamp) as i, cast(null as integer) as j
    """
    started = database.data.execute_statement(Sql=sql, WaitTimeSeconds=30, **database.target)
    assert started["Status"] == "FINISHED"
    result = database.data.get_statement_result(Id=started["Id"])
    names = ["int2", "int4", "int8", "numeric", "float8", "bool", "varchar", "date", "timestamp", "int4"]
    assert [column["typeName"] for column in result["ColumnMetadata"]] == names
    assert (result["ColumnMetadata"][3]["precision"], result["ColumnMetadata"][3]["scale"]) == (5, 2)
    assert result["Records"] == [
        [
            {"longValue": 1},
            {"longValue": 2},
            {"longValue": 3},
            {"stringValue": "1.50"},
            {"doubleValue": 0.25},
            {"booleanValue": True},
            {"stringValue": "é"},
            {"stringValue": "2024-02-29"},
            {"stringValue": "2024-02-29 12:30:00.500000"},
            {"isNull": True},
        ]
    ]


def test_arithmetic_is_redshifts(database: Warehouse) -> None:
    sql = """
        select 7 / 2, -7 / 2, 7 / 2.0, avg(a), avg(cast(b as decimal(5, 1))), sum(a), avg(cast(a as double precision))
        from (select 1 as a, 1.2 as b union all select 2 as a, 1.3 as b) as t
    """
    assert database.rows(sql) == [[3, -3, 3.5, 1.0, 1.2, 3, 1.5]]
    assert "Divide by zero" in database.error("select 1 / 0")


def test_a_batch_counts_as_a_whole(database: Warehouse) -> None:
    database.done("create schema whole", "create table whole.t (a integer not null)", "insert into whole.t values (1)")
    described = database.run("insert into whole.t values (2)", "insert into whole.t values (null)", "select 1")
    assert described["Status"] == "FAILED"
    assert described["Error"] == "Query #2 failed with ERROR: Cannot insert a NULL value into column a"
    assert [part["Status"] for part in described["SubStatements"]] == ["FINISHED", "FAILED", "ABORTED"]
    assert [part["Id"] for part in described["SubStatements"]] == [f"{described['Id']}:{n}" for n in (1, 2, 3)]
    assert database.rows("select a from whole.t") == [[1]]


def test_merge_updates_deletes_and_inserts(database: Warehouse) -> None:
    database.done(
        "create schema merged",
        "create table merged.t (id integer, a varchar(5))",
        "create table merged.s (id integer, a varchar(5))",
        "insert into merged.t values (1, 'old'), (2, 'kept')",
        "insert into merged.s values (1, 'new'), (3, 'added')",
        "merge into merged.t using merged.s on t.id = s.id"
        " when matched then update set a = s.a when not matched then insert values (s.id, s.a)",
    )
    assert database.rows("select * from merged.t order by id") == [[1, "new"], [2, "kept"], [3, "added"]]
    database.done(
        "merge into merged.t using merged.s as x on t.id = x.id and t.a = x.a"
        " when matched then delete when not matched then insert (a, id) values (x.a, x.id)",
    )
    assert database.rows("select * from merged.t order by id") == [[2, "kept"]]
    database.done("insert into merged.s values (2, 'one'), (2, 'other')")
    error = database.error(
        "merge into merged.t using merged.s on t.id = s.id"
        " when matched then update set a = s.a when not matched then insert values (s.id, s.a)"
    )
    assert "Found multiple matches to update the same tuple" in error


def test_a_batch_of_two_queries_has_two_results(database: Warehouse) -> None:
    described = database.done("select 1 as a", "select 2 as b union all select 3 as b order by b")
    assert described["HasResultSet"]
    assert [part["ResultRows"] for part in described["SubStatements"]] == [1, 2]
    assert database.result(f"{described['Id']}:2") == [[2], [3]]
    with pytest.raises(ClientError) as error:
        database.data.get_statement_result(Id=described["Id"])
    assert code(error) == "ResourceNotFoundException"
    with pytest.raises(ClientError) as error:
        database.data.describe_statement(Id=f"{described['Id']}:3")
    assert code(error) == "ResourceNotFoundException"


def test_long_results_come_in_pages(database: Warehouse) -> None:
    digits = " union all ".join(f"select {n} as n" for n in range(10))
    sql = f"with d as ({digits}) select a.n from d as a cross join d as b cross join d as c cross join d as e"
    started = database.data.execute_statement(Sql=sql, WaitTimeSeconds=30, **database.target)
    first = database.data.get_statement_result(Id=started["Id"])
    assert (len(first["Records"]), first["TotalNumRows"]) == (1000, 10_000)
    pages = list(database.data.get_paginator("get_statement_result").paginate(Id=started["Id"]))
    assert sum(value(record[0]) for page in pages for record in page["Records"]) == 45_000
    with pytest.raises(ClientError) as error:
        database.data.get_statement_result(Id=started["Id"], NextToken="bm9uc2Vuc2U=")
    assert code(error) == "ValidationException"


def test_parameters_are_bound(database: Warehouse) -> None:
    rows = database.rows("select :name as name, 1 where 2 > :least", name="it's -- me", least="1")
    assert rows == [["it's -- me", 1]]
    with pytest.raises(ClientError) as error:
        database.rows("select 1", name="x")
    assert "unused" in str(error.value)


def test_a_token_submits_once(database: Warehouse) -> None:
    database.done("create schema once", "create table once.t (a integer)")
    request = {"Sql": "insert into once.t values (1)", "ClientToken": "token-1", **database.target}
    ids = {database.data.execute_statement(WaitTimeSeconds=30, **request)["Id"] for _ in range(2)}
    assert len(ids) == 1
    assert database.rows("select count(*) from once.t") == [[1]]
    with pytest.raises(ClientError) as error:
        database.data.execute_statement(**{**request, "Sql": "select 1"})
    assert code(error) == "ValidationException"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"WorkgroupName": "no-such-group"}, "no-such-group"),
        ({"SecretArn": "no-such-secret"}, "no-such-secret"),
        ({"Sql": " "}, "bytes"),
        ({"Sql": "select '" + "x" * 100_000 + "'"}, "bytes"),
        ({"SessionKeepAliveSeconds": 10}, "SessionKeepAliveSeconds"),
        ({"ResultFormat": "CSV"}, "JSON"),
    ],
)
def test_requests_that_are_refused(database: Warehouse, change: dict, words: str) -> None:
    with pytest.raises(ClientError) as error:
        database.data.execute_statement(**{"Sql": "select 1", **database.target, **change})
    assert code(error) == "ValidationException"
    assert words in str(error.value)


def test_a_batch_has_forty_statements_at_most(database: Warehouse) -> None:
    database.done(*["select 1"] * 40)
    # The client checks this as well; the API is to hold against others.
    client = boto3.client(
        "redshift-data",
        endpoint_url=database.cloud.url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(parameter_validation=False),
    )
    with pytest.raises(ClientError) as error:
        client.batch_execute_statement(Sqls=["select 1"] * 41, **database.target)
    assert "41 statements" in str(error.value)


def test_an_unknown_database_fails_the_statement(database: Warehouse) -> None:
    target = {**database.target, "Database": "nope"}
    started = database.data.execute_statement(Sql="select 1", WaitTimeSeconds=30, **target)
    described = database.data.describe_statement(Id=started["Id"])
    assert (described["Status"], described["Error"]) == ("FAILED", 'FATAL: database "nope" does not exist')


def test_only_the_admin_creates_schemas(database: Warehouse) -> None:
    target = {key: text for key, text in database.target.items() if key != "SecretArn"}
    started = database.data.execute_statement(Sql="create schema mine", WaitTimeSeconds=30, **target)
    assert "permission denied" in database.data.describe_statement(Id=started["Id"])["Error"]


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("select * from nowhere.t", 'relation "nowhere.t" does not exist'),
        ("select nothing from (select 1 as a) as t", 'column "nothing" does not exist'),
        ("insert into nowhere.t values (1)", "does not exist"),
        ("create table nowhere.t (a integer)", 'schema "nowhere" does not exist'),
        ("select * from '/etc/hosts'", "does not exist"),
    ],
)
def test_errors_speak_redshift(database: Warehouse, sql: str, words: str) -> None:
    error = database.error(sql)
    assert error.startswith("Query #1 failed with ERROR: ")
    assert words in error


def test_columns_are_added_with_their_checks(database: Warehouse) -> None:
    database.done(
        "create schema added",
        "create table added.t (a varchar(3) not null, b integer default 5)",
        "insert into added.t (a) values ('x')",
        "create view added.v as select a, b from added.t",
        "alter table added.t add column c varchar(2)",
    )
    database.done("alter table added.t add column d decimal(4, 1) default 1.5")
    assert database.rows("select * from added.t") == [["x", 5, None, "1.5"]]
    assert database.rows("select * from added.v") == [["x", 5]]
    assert "varying(2)" in database.error("insert into added.t (a, c) values ('y', 'éa')")
    assert "varying(3)" in database.error("insert into added.t (a) values ('abcd')")
    assert "NULL value into column a" in database.error("insert into added.t (c) values ('z')")
    assert "already exists" in database.error("alter table added.t add column D integer")
    described = database.data.describe_table(Schema="added", Table="t", **database.target)
    assert [(column["name"], column["typeName"], column["length"]) for column in described["ColumnList"]] == [
        ("a", "varchar", 3),
        ("b", "integer", 0),
        ("c", "varchar", 2),
        ("d", "decimal", 4),
    ]
    tables = database.data.list_tables(SchemaPattern="added", **database.target)["Tables"]
    assert tables == [
        {"schema": "added", "name": "t", "type": "TABLE"},
        {"schema": "added", "name": "v", "type": "VIEW"},
    ]


def test_statements_are_listed(database: Warehouse) -> None:
    for _ in range(3):
        database.data.execute_statement(Sql="select 1", StatementName="listed", WaitTimeSeconds=30, **database.target)
    first = database.data.list_statements(StatementName="listed", MaxResults=2)
    second = database.data.list_statements(StatementName="listed", MaxResults=2, NextToken=first["NextToken"])
    assert [len(page["Statements"]) for page in (first, second)] == [2, 1]
    assert database.data.list_statements(StatementName="listed", Status="FAILED")["Statements"] == []


def test_a_running_statement_can_be_cancelled(database: Warehouse) -> None:
    digits = " union all ".join(f"select {n} as n" for n in range(10))
    joins = " cross join ".join(f"d as d{n}" for n in range(12))
    endless = f"with d as ({digits}) select sum(d0.n * d5.n + d11.n) from {joins}"
    started = database.data.execute_statement(Sql=endless, **database.target)["Id"]

    def cancelled() -> bool:
        try:
            return database.data.cancel_statement(Id=started)["Status"]
        except ClientError:
            return False

    wait_for(cancelled, 20, "the statement to run")
    described = wait_for(
        lambda: (d := database.data.describe_statement(Id=started))["Status"] == "ABORTED" and d, 20, "its end"
    )
    assert "cancelled" in described["Error"]
    with pytest.raises(ClientError) as error:
        database.data.cancel_statement(Id=started)
    assert code(error) == "ValidationException"


def test_the_warehouse_survives_a_kill(tmp_path: Path) -> None:
    cloud = RunningCloud(tmp_path).start()
    try:
        warehouse = Warehouse(cloud, "survivor").create()
        warehouse.done("create schema kept", "create table kept.t (a integer)", "insert into kept.t values (1)")
        answered = warehouse.done("select a from kept.t")
        digits = " union all ".join(f"select {n} as n" for n in range(10))
        joins = " cross join ".join(f"d as d{n}" for n in range(12))
        running = warehouse.data.batch_execute_statement(
            Sqls=["insert into kept.t values (2)", f"with d as ({digits}) select sum(d0.n + d11.n) from {joins}"],
            **warehouse.target,
        )["Id"]
        wait_for(
            lambda: warehouse.data.describe_statement(Id=running)["SubStatements"][1]["Status"] == "STARTED",
            20,
            "the second statement to run",
        )
        wait_for(lambda: saved(tmp_path), 20, "the state to be saved")
        cloud.stop(signal.SIGKILL)
        (tmp_path / "endpoint.json").unlink(missing_ok=True)
        cloud.start()
        warehouse.data = cloud.client("redshift-data")
        assert warehouse.data.describe_statement(Id=running)["Status"] == "ABORTED"
        assert warehouse.result(f"{answered['Id']}:1") == [[1]]
        assert warehouse.rows("select a from kept.t") == [[1]]
    finally:
        cloud.stop()


def saved(state: Path) -> bool:
    """Whether what is kept outside of the database's file is on disk."""
    paths = (state / "stores/redshift_serverless.json", state / "ministack/secretsmanager.json")
    return all(path.exists() and "survivor" in path.read_text() for path in paths)


def test_a_procedure_runs_in_its_callers_transaction(database: Warehouse) -> None:
    create = "create or replace procedure p.fill() as $$ begin {} end; $$ language plpgsql"
    database.done("create schema p", "create table p.t (a integer)", create.format("insert into p.t values (1);"))
    database.done("call p.fill()", "call p.fill()")
    assert database.rows("select count(*) from p.t") == [[2]]
    assert "Divide by zero" in database.error("call p.fill()", "insert into p.t select 1 / 0")
    database.done(create.format("insert into p.t values (1); insert into p.gone values (1);"))
    assert "does not exist" in database.error("call p.fill()")
    assert database.rows("select count(*) from p.t") == [[2]]
    assert "procedure p.none() does not exist" in database.error("call p.none()")


def test_roles_and_what_is_granted_to_them(database: Warehouse) -> None:
    database.done("create schema r", "create role reader")
    assert database.rows("select role_name from svv_roles") == [["reader"]]
    assert 'role "reader" already exists' in database.error("create role reader")
    assert 'role "writer" does not exist' in database.error("grant usage on schema r to role writer")
    assert 'schema "t" does not exist' in database.error("grant select for tables in schema t to role reader")
    for _ in range(2):
        database.done("grant usage on schema r to role reader", "grant select for tables in schema r to role reader")
    assert "some objects depend on it" in database.error("drop role reader")
