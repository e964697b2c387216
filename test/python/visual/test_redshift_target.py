"""The Redshift target: rows through S3 into the local warehouse, as Glue's connector loads them."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from running_cloud import RunningCloud
from warehouse.support import ROLE, Warehouse

pytestmark = pytest.mark.spark

FILMS = "id bigint, title string"
CREATE = "CREATE TABLE IF NOT EXISTS {0} (id BIGINT, title VARCHAR(50));"
# What Glue Studio writes for its actions "truncate" and "merge".
TRUNCATE = CREATE + " TRUNCATE TABLE {0};"
STAGE = CREATE + " DROP TABLE IF EXISTS {0}_temp; CREATE TABLE {0}_temp (id BIGINT, title VARCHAR(50));"
MERGE = (
    "BEGIN; MERGE INTO {0} USING {0}_temp ON {1}.id = {1}_temp.id"
    " WHEN MATCHED THEN UPDATE SET id = {1}_temp.id, title = {1}_temp.title"
    " WHEN NOT MATCHED THEN INSERT VALUES ({1}_temp.id, {1}_temp.title); DROP TABLE {0}_temp; END;"
)


@pytest.fixture
def table() -> str:
    """The name of a table that is not there."""
    return f"lake.t{uuid.uuid4().hex[:8]}"


@pytest.fixture
def load(warehouse: Warehouse, spark: Any) -> Callable[..., None]:
    """Write rows as a job's script does."""
    from awsglue.context import GlueContext
    from awsglue.dynamicframe import DynamicFrame

    context = GlueContext(spark.sparkContext)

    def write(table: str, rows: list[tuple], schema: str = FILMS, **options: str) -> None:
        context.write_dynamic_frame.from_options(
            frame=DynamicFrame.fromDF(spark.createDataFrame(rows, schema), context, "films"),
            connection_type="redshift",
            connection_options={
                "redshiftTmpDir": f"s3://{warehouse.name}/temporary/",
                "useConnectionProperties": "true",
                "connectionName": warehouse.name,
                "dbtable": table,
                **options,
            },
            transformation_ctx="target",
        )

    return write


def merge(load: Callable[..., None], table: str, rows: list[tuple], **options: str) -> None:
    """Write rows with the action "merge"."""
    name = table.partition(".")[2]
    actions = {"preactions": STAGE.format(table), "postactions": MERGE.format(table, name)}
    load(f"{table}_temp", rows, **{**actions, **options})


def rows(warehouse: Warehouse, table: str) -> list[list]:
    """The rows of a table."""
    return warehouse.rows(f"select * from {table} order by 1")


def tables(warehouse: Warehouse, table: str) -> list[str]:
    """The names of tables that begin with this one's."""
    found = warehouse.data.list_tables(
        WorkgroupName=warehouse.name,
        Database="movies",
        SchemaPattern="lake",
        TablePattern=table.partition(".")[2] + "%",
    )
    return [f"lake.{item['name']}" for item in found["Tables"]]


def test_append_adds_rows_each_time(warehouse: Warehouse, load: Callable[..., None], table: str) -> None:
    for _ in range(2):
        load(table, [(1, "A")], preactions=CREATE.format(table))

    assert rows(warehouse, table) == [[1, "A"], [1, "A"]]


def test_a_table_that_is_not_there_is_made_of_the_frames_types(
    warehouse: Warehouse, load: Callable[..., None], table: str
) -> None:
    load(table, [(1, Decimal("2.50"), True, 1.5)], "Id int, price decimal(5,2), old boolean, score double")

    described = warehouse.data.describe_table(
        WorkgroupName=warehouse.name, Database="movies", Schema="lake", Table=table.partition(".")[2]
    )
    columns = [(column["name"], column["typeName"]) for column in described["ColumnList"]]
    assert columns == [("id", "integer"), ("price", "decimal"), ("old", "boolean"), ("score", "double precision")]
    assert rows(warehouse, table) == [[1, "2.50", True, 1.5]]


def test_a_missing_table_is_made_before_the_preactions(
    warehouse: Warehouse, load: Callable[..., None], table: str
) -> None:
    # So theirs comes too late, and a text of more than 256 bytes does not fit.
    from redshift_target import RedshiftError

    preactions = f"CREATE TABLE IF NOT EXISTS {table} (id BIGINT, title VARCHAR(1000));"
    with pytest.raises(RedshiftError, match="String length exceeds DDL length, 257 bytes of 256"):
        load(table, [(1, "x" * 257)], preactions=preactions)
    assert tables(warehouse, table) == []

    load(table, [(1, "x" * 257)], preactions=f"DROP TABLE IF EXISTS {table}; {preactions}")
    assert rows(warehouse, table) == [[1, "x" * 257]]


def test_truncate_replaces_the_rows(warehouse: Warehouse, load: Callable[..., None], table: str) -> None:
    for title in ("A", "B"):
        load(table, [(1, title)], preactions=TRUNCATE.format(table))

    assert rows(warehouse, table) == [[1, "B"]]


def test_merge_updates_and_inserts_and_a_second_run_changes_nothing(
    warehouse: Warehouse, load: Callable[..., None], table: str
) -> None:
    load(table, [(1, "old"), (2, "kept")], preactions=CREATE.format(table))

    for _ in range(2):
        merge(load, table, [(1, "new"), (3, "added")])

        assert rows(warehouse, table) == [[1, "new"], [2, "kept"], [3, "added"]]
        assert tables(warehouse, table) == [table]


def test_merge_by_delete_and_insert(warehouse: Warehouse, load: Callable[..., None], table: str) -> None:
    load(table, [(1, "old"), (2, "kept")], preactions=CREATE.format(table))
    after = (
        f"BEGIN; DELETE FROM {table} USING {table}_temp WHERE {table}.id = {table}_temp.id;"
        f" INSERT INTO {table} SELECT * FROM {table}_temp; DROP TABLE {table}_temp; END;"
    )

    for _ in range(2):
        merge(load, table, [(1, "new"), (3, "added")], postactions=after)

    assert rows(warehouse, table) == [[1, "new"], [2, "kept"], [3, "added"]]


def test_two_staged_rows_for_one_film_are_refused_and_undone(
    warehouse: Warehouse, load: Callable[..., None], table: str
) -> None:
    from redshift_target import RedshiftError

    load(table, [(1, "old")], preactions=CREATE.format(table))

    with pytest.raises(RedshiftError, match="Found multiple matches to update the same tuple"):
        merge(load, table, [(1, "one"), (1, "other")])

    assert rows(warehouse, table) == [[1, "old"]]
    assert tables(warehouse, table) == [table]


def test_a_failing_postaction_leaves_the_table_as_it_was(
    warehouse: Warehouse, load: Callable[..., None], table: str
) -> None:
    from redshift_target import RedshiftError

    load(table, [(1, "old")], preactions=CREATE.format(table))

    with pytest.raises(RedshiftError, match=r'relation "absent" does not exist.*in: INSERT INTO lake.absent'):
        load(table, [(2, "new")], postactions="INSERT INTO lake.absent SELECT 1")

    assert rows(warehouse, table) == [[1, "old"]]


def test_what_was_committed_stays_when_the_rest_fails(
    warehouse: Warehouse, load: Callable[..., None], table: str
) -> None:
    from redshift_target import RedshiftError

    warehouse.done(f"create table {table} (id bigint, title varchar(50))")
    load(table, [(1, "old")])

    # END ends the transaction with the COPY in it.
    with pytest.raises(RedshiftError):
        load(table, [(2, "new")], postactions="END; INSERT INTO lake.absent SELECT 1")
    assert rows(warehouse, table) == [[1, "old"], [2, "new"]]

    # TRUNCATE commits, so a load that fails after it leaves an empty table.
    with pytest.raises(RedshiftError, match="String length exceeds DDL length"):
        load(table, [(3, "x" * 51)], preactions=TRUNCATE.format(table))
    assert rows(warehouse, table) == []


def test_values_survive(warehouse: Warehouse, load: Callable[..., None], table: str) -> None:
    texts = [
        'said "no", then',
        "it's",
        "",
        " spaced ",
        "two\nlines",
        "tab\tand \\ backslash",
        "Amélie 映画 🎬",
        "NULL",
        "\\N",
    ]
    schema = "id int, title string, price decimal(20,10), released date, at timestamp, ok boolean, score double"
    given: list[tuple] = [
        (
            number,
            text,
            Decimal("-0.0000010000"),
            date(1888, 10, 14),
            datetime(2024, 2, 29, 23, 59, 59, 123456),
            True,
            1e300,
        )
        for number, text in enumerate(texts)
    ]
    given.append((len(texts), None, None, None, None, None, None))

    load(table, given, schema)

    found = rows(warehouse, table)
    assert [row[1] for row in found] == [*texts, None]
    assert found[0][2:] == ["-0.0000010000", "1888-10-14", "2024-02-29 23:59:59.123456", True, 1e300]
    assert found[-1][2:] == [None] * 5


def test_a_frame_without_rows_runs_the_actions_alone(
    warehouse: Warehouse, load: Callable[..., None], table: str
) -> None:
    load(table, [(1, "old")], preactions=CREATE.format(table))

    load(table, [], postactions="INSERT INTO %s VALUES (2, 'by the action')")

    assert rows(warehouse, table) == [[1, "old"], [2, "by the action"]]


def test_columns_in_another_order_are_refused(warehouse: Warehouse, load: Callable[..., None], table: str) -> None:
    from redshift_target import RedshiftError

    warehouse.done(f"create table {table} (title varchar(50), id varchar(50))")

    with pytest.raises(RedshiftError, match=r"not those of the frame in the same order \(id, title\)"):
        load(table, [(1, "A")])

    assert rows(warehouse, table) == []


def test_the_copy_reads_with_a_role_if_one_is_named(
    warehouse: Warehouse, load: Callable[..., None], table: str
) -> None:
    from redshift_target import RedshiftError

    load(table, [(1, "A")], aws_iam_role=ROLE)
    with pytest.raises(RedshiftError, match="is not associated to cluster"):
        load(table, [(2, "B")], aws_iam_role=ROLE + "-other")

    assert rows(warehouse, table) == [[1, "A"]]


def test_options_of_the_copy(warehouse: Warehouse, load: Callable[..., None], table: str) -> None:
    warehouse.done(f"create table {table} (id bigint, title varchar(50))")
    given = [(1, "x" * 60), (2, "@NULL@"), (3, None)]

    load(table, given, extracopyoptions="TRUNCATECOLUMNS", csvnullstring="<null>")

    assert rows(warehouse, table) == [[1, "x" * 50], [2, "@NULL@"], [3, None]]


def test_what_is_missing_or_unknown_is_named(
    cloud: RunningCloud, warehouse: Warehouse, load: Callable[..., None], table: str
) -> None:
    with pytest.raises(ValueError, match="redshiftTmpDir is missing"):
        load(table, [], redshiftTmpDir="")
    with pytest.raises(NotImplementedError, match="distkey"):
        load(table, [], distkey="id")
    with pytest.raises(ValueError, match="two columns would be named id"):
        load(table, [(1, 2)], "id int, ID int")
    with pytest.raises(NotImplementedError, match="column tags of type array<string>"):
        load(table, [(["a"],)], "tags array<string>")
    with pytest.raises(Exception, match="Connection absent not found"):
        load(table, [], connectionName="absent")
