"""COPY and UNLOAD: what they move, and what they refuse as Redshift does."""

from __future__ import annotations

import csv
import gzip
import io
import itertools
import json
from datetime import datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from running_cloud import RunningCloud
from warehouse.support import ROLE, Warehouse

PARQUET = f"iam_role '{ROLE}' format as parquet"
NUMBERS = itertools.count()
COLUMNS = "id bigint not null, name varchar(4), amount decimal(4, 1), day date, seen timestamp, few integer"
NAMES = ["id", "name", "amount", "day", "seen", "few"]
TYPES = [pa.int64(), pa.string(), pa.decimal128(4, 1), pa.date32(), pa.timestamp("us"), pa.int32()]


@pytest.fixture(scope="module")
def database(cloud: RunningCloud) -> Warehouse:
    """A warehouse without tables, shared by the tests of this module."""
    return Warehouse(cloud).create()


@pytest.fixture
def table(database: Warehouse) -> str:
    """An empty table."""
    name = f"copied.t{next(NUMBERS)}"
    database.done("create schema if not exists copied", f"create table {name} ({COLUMNS})")
    return name


def one_row(**changes: object) -> pa.Table:
    day = datetime(2024, 2, 29, 12, 30)
    row = {"id": 1, "name": "é a", "amount": Decimal("1.5"), "day": day.date(), "seen": day, "few": 7, **changes}
    return pa.table([pa.array([row[name]], kind) for name, kind in zip(NAMES, TYPES, strict=True)], names=NAMES)


def copy(database: Warehouse, table: str, prefix: str, how: str = PARQUET) -> str:
    return f"copy {table} from 's3://{database.name}/{prefix}' {how}"


def test_parquet_goes_by_position(database: Warehouse, table: str) -> None:
    other_names = one_row().rename_columns(["z", "y", "x", "w", "v", "u"])
    database.put_parquet(f"{table}/part-1.parquet", other_names)
    database.put_parquet(f"{table}/part-2.parquet", one_row(id=2, name=None))
    database.put(f"{table}/_SUCCESS", b"")
    database.done(copy(database, table, f"{table}/"))
    assert database.rows(f"select * from {table} order by id") == [
        [1, "é a", "1.5", "2024-02-29", "2024-02-29 12:30:00", 7],
        [2, None, "1.5", "2024-02-29", "2024-02-29 12:30:00", 7],
    ]


def test_a_manifest_names_the_files(database: Warehouse, table: str) -> None:
    for number in (1, 2, 3):
        database.put_parquet(f"{table}/part-{number}.parquet", one_row(id=number))

    def entry(name: str, mandatory: bool) -> dict:
        return {"url": f"s3://{database.name}/{table}/{name}", "mandatory": mandatory}

    def load(*entries: dict) -> str:
        database.put(f"{table}/manifest.json", json.dumps({"entries": entries}).encode())
        return copy(database, table, f"{table}/manifest.json", PARQUET + " manifest")

    database.done(load(entry("part-1.parquet", True), entry("part-3.parquet", True), entry("absent", False)))
    assert database.rows(f"select id from {table} order by id") == [[1], [3]]
    assert "absent" in database.error(load(entry("part-1.parquet", True), entry("absent", True)))
    assert "No files of the manifest" in database.error(load(entry("absent", False)))
    database.put(f"{table}/manifest.json", b"[]")
    error = database.error(copy(database, table, f"{table}/manifest.json", PARQUET + " manifest"))
    assert "not in correct json format" in error
    assert "Problem reading manifest" in database.error(copy(database, table, "absent.json", PARQUET + " manifest"))


def test_credentials_are_a_role_or_a_key(database: Warehouse, table: str) -> None:
    database.put_parquet(f"{table}/part-1.parquet", one_row())
    for given in (
        f"aws_iam_role={ROLE}",
        "aws_access_key_id=a;aws_secret_access_key=b",
        "aws_access_key_id=a;aws_secret_access_key=b;token=c",
    ):
        database.done(copy(database, table, f"{table}/", f"credentials '{given}' format as parquet"))
    assert database.rows(f"select count(*) from {table}") == [[3]]
    for given, words in ((f"aws_iam_role={ROLE}-x", "not associated"), ("a=b", "Invalid IAM role")):
        assert words in database.error(copy(database, table, f"{table}/", f"credentials '{given}' format as parquet"))


def test_a_list_of_columns_says_which_positions(database: Warehouse, table: str) -> None:
    database.put_parquet(f"{table}/part.parquet", one_row().select(["name", "id"]))
    database.done(copy(database, f"{table} (name, id)", f"{table}/"))
    assert database.rows(f"select id, name, few from {table}") == [[1, "é a", None]]


@pytest.mark.parametrize(
    ("file", "words"),
    [
        (one_row().select(NAMES[:5]), "Unmatched number of columns"),
        (one_row().append_column("more", pa.array([1])), "Table columns: 6, Data columns: 7"),
        (one_row(name="ééé"), "Table: 4, Data: 6"),
        (one_row(id=None), "NULL value into column id"),
        (one_row().set_column(0, "id", pa.array([1], pa.int32())), "Column type: BIGINT"),
        (one_row().set_column(5, "few", pa.array([1], pa.int64())), "Column type: INTEGER"),
        (one_row().set_column(2, "amount", pa.array([Decimal("1.50")])), "Column type: DECIMAL(4,1)"),
        (one_row().set_column(3, "day", pa.array(["2024-02-29"])), "Column type: DATE"),
        (one_row().set_column(1, "name", pa.array([1.5])), "Column type: VARCHAR(4)"),
    ],
)
def test_parquet_that_does_not_fit(database: Warehouse, table: str, file: pa.Table, words: str) -> None:
    database.put_parquet(f"{table}/part.parquet", file)
    assert words in database.error(copy(database, table, f"{table}/"))
    assert database.rows(f"select count(*) from {table}") == [[0]]


def test_times_lose_their_zone(database: Warehouse, table: str) -> None:
    zoned = pa.array([datetime(2024, 2, 29, 12, 30)], pa.timestamp("ns", "UTC"))
    database.put_parquet(f"{table}/part.parquet", one_row().set_column(4, "seen", zoned))
    database.done(copy(database, table, f"{table}/"))
    assert database.rows(f"select seen from {table}") == [["2024-02-29 12:30:00"]]


def test_json_goes_by_name(database: Warehouse, table: str) -> None:
    day = "2024-02-29"
    full = {"id": 1, "name": "a", "amount": 1.5, "day": day, "seen": f"{day} 12:30:00", "few": 7, "more": [1]}
    lines = [json.dumps(full), json.dumps({"id": "2", "few": None, "name": ""})]
    database.put(f"{table}/a.json", "\n".join(lines).encode())
    database.put(f"{table}/b.json.gz", gzip.compress(b'{"id": 3}{"id":\n4}'))
    how = f"iam_role '{ROLE}' json 'auto'"
    database.done(
        copy(database, table, f"{table}/a", how),
        copy(database, table, f"{table}/b", how + " gzip"),
    )
    assert database.rows(f"select * from {table} order by id") == [
        [1, "a", "1.5", "2024-02-29", "2024-02-29 12:30:00", 7],
        [2, "", None, None, None, None],
        [3, None, None, None, None, None],
        [4, None, None, None, None, None],
    ]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('{"id": "1.5"}', "invalid value '1.5' for type bigint"),
        ('{"id": 1, "day": "29.02.2024"}', "for type date"),
        ('{"id": 1, "day": "2024-02-30"}', "ERROR"),
        ('{"id": 1, "name": "ééé"}', "6 bytes of 4"),
        ('{"name": "a"}', "NULL value into column id"),
        ("[1]", "Invalid JSON object"),
        ('{"id": 1', "Invalid JSON"),
    ],
)
def test_json_that_does_not_fit(database: Warehouse, table: str, line: str, words: str) -> None:
    database.put(f"{table}/a.json", line.encode())
    assert words in database.error(copy(database, table, f"{table}/", f"iam_role '{ROLE}' format as json 'auto'"))


def test_json_can_be_kept_whole(database: Warehouse, table: str) -> None:
    database.put(f"{table}/a.json", '{"a": {"b": "é \\" x"}, "n": 1, "list": [1, 2]}\n{"n": null}'.encode())
    how = f"iam_role '{ROLE}' format as json 'noshred'"
    database.done(f"create table {table}_whole (doc super)", copy(database, f"{table}_whole", f"{table}/", how))

    values = "doc.a.b, doc.a.b::varchar, cast(t.doc.n as integer), json_serialize(doc.list), json_serialize(doc.a.b)"
    assert database.rows(f"select {values} from {table}_whole as t order by doc.n::integer nulls last") == [
        ['"é \\" x"', 'é " x', 1, "[1,2]", '"é \\" x"'],
        [None, None, None, None, None],
    ]
    elements = f"select e, cast(e as integer) + 1 as more from {table}_whole as t, t.doc.list as e where e::integer > 1"
    assert database.rows(elements) == [["2", 3]]
    assert "single column of type SUPER" in database.error(copy(database, table, f"{table}/", how))


def test_long_texts_are_cut_where_that_is_asked_for(database: Warehouse, table: str) -> None:
    database.put(f"{table}/a.json", '{"id": 1, "name": "aéé"}'.encode())
    database.done(copy(database, table, f"{table}/", f"iam_role '{ROLE}' json 'auto' truncatecolumns"))
    assert database.rows(f"select name from {table}") == [["aé"]]


def test_csv(database: Warehouse, table: str) -> None:
    text = 'id,name,amount,day,seen,few\n1,"a,""b",1.5,2024-02-29,2024-02-29 12:30:00,7\n2,,,,,\n'
    database.put(f"{table}/a.csv.gz", gzip.compress(text.encode()))
    database.done(copy(database, table, f"{table}/", f"iam_role '{ROLE}' csv gzip ignoreheader 1 emptyasnull"))
    assert database.rows(f"select * from {table} order by id") == [
        [1, 'a,"b', "1.5", "2024-02-29", "2024-02-29 12:30:00", 7],
        [2, None, None, None, None, None],
    ]
    database.put(f"{table}/wide.csv", b"1,a,1.5,2024-02-29,2024-02-29,7,8\n")
    assert "Extra column(s)" in database.error(copy(database, table, f"{table}/wide", f"iam_role '{ROLE}' csv"))
    database.put(f"{table}/narrow.csv", b"1,a\n")
    assert "Delimiter not found" in database.error(copy(database, table, f"{table}/narrow", f"iam_role '{ROLE}' csv"))


@pytest.mark.parametrize(
    ("how", "words"),
    [
        (PARQUET, "The specified S3 prefix 'nothing/' does not exist"),
        ("format as parquet", "IAM_ROLE"),
        ("iam_role 'me' format as parquet", "Invalid IAM role"),
        ("iam_role 'arn:aws:iam::000000000000:role/other' format as parquet", "not associated"),
        (f"iam_role '{ROLE}'", "FORMAT AS"),
        (PARQUET + " truncatecolumns", "TRUNCATECOLUMNS argument is not supported for PARQUET"),
        (PARQUET + " no_such_option", "syntax error"),
        (f"iam_role '{ROLE}' json 's3://b/paths.json'", "'auto'"),
    ],
)
def test_copies_that_are_refused(database: Warehouse, table: str, how: str, words: str) -> None:
    assert words in database.error(copy(database, table, "nothing/", how))


def test_a_refused_copy_undoes_its_batch(database: Warehouse, table: str) -> None:
    error = database.error(f"insert into {table} (id) values (1)", copy(database, table, "nothing/"))
    assert error.startswith("Query #2 failed with ERROR: The specified S3 prefix")
    assert database.rows(f"select count(*) from {table}") == [[0]]


def unload(database: Warehouse, select: str, prefix: str, how: str) -> str:
    quoted = select.replace("'", "''")
    return f"unload ('{quoted}') to 's3://{database.name}/{prefix}' iam_role '{ROLE}' {how}"


SELECT = """
    select 1 as a, cast(1.50 as decimal(4, 2)) as b, 'x,"é' as c, cast('2024-02-29' as date) as d, true as e, null as f
"""


def test_unload_of_json(database: Warehouse) -> None:
    how = "format as json allowoverwrite parallel off"
    for _ in range(2):
        database.done(unload(database, SELECT, "json/mart_", how))
    assert database.keys("json/") == ["json/mart_000"]
    assert json.loads(database.get("json/mart_000")) == {
        "a": 1,
        "b": 1.5,
        "c": 'x,"é',
        "d": "2024-02-29",
        "e": True,
        "f": None,
    }


def test_unload_of_csv_and_parquet(database: Warehouse) -> None:
    database.done(unload(database, SELECT, "csv/", "csv header gzip"))
    assert database.keys("csv/") == ["csv/0000_part_00.gz"]
    text = gzip.decompress(database.get("csv/0000_part_00.gz")).decode()
    assert list(csv.reader(io.StringIO(text))) == [
        ["a", "b", "c", "d", "e", "f"],
        ["1", "1.50", 'x,"é', "2024-02-29", "t", ""],
    ]
    database.done(unload(database, "select sum(a) as a from (select 1 as a) as t", "parquet/", "parquet"))
    table = pq.read_table(io.BytesIO(database.get("parquet/0000_part_00.parquet")))
    assert (table.schema.field("a").type, table.to_pylist()) == (pa.int64(), [{"a": 1}])


@pytest.mark.parametrize(
    ("select", "how", "words"),
    [
        ("select 1 as a", "json", "not empty"),
        ("select 1 as a limit 1", "json allowoverwrite", "Limit clause is not supported"),
        ("delete from copied.t", "json allowoverwrite", "takes a SELECT"),
        ("select 1 as a", "json header allowoverwrite", "HEADER argument is not supported for JSON"),
        ("select 1 as a", "allowoverwrite", "FORMAT AS"),
        ("select nothing from (select 1 as a) as t", "json allowoverwrite", "does not exist"),
    ],
)
def test_unloads_that_are_refused(database: Warehouse, select: str, how: str, words: str) -> None:
    database.put("taken/000", b"kept")
    assert words in database.error(unload(database, select, "taken/", how + " parallel off"))
    assert database.get("taken/000") == b"kept"
