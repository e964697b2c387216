"""What a Glue job reads of a catalog table, above all of CSV."""

from __future__ import annotations

import gzip
from typing import Any

import pytest
from glue.support import TEXT_FORMATS, Lake
from running_cloud import RunningCloud

pytestmark = pytest.mark.spark

DAY = "2024-01-01"


@pytest.fixture
def lake(cloud: RunningCloud, spark: Any) -> Lake:
    """An empty bucket and an empty database, and Spark to read them."""
    return Lake(cloud)


def _rows(lake: Lake, spark: Any, columns: list[str], *files: bytes | str, **serde: str) -> list[tuple]:
    """The rows that a batch table of these files gives, without the partition column, in the files' order."""
    named = {f"{index}.csv": body for index, body in enumerate(files)}
    lake.csv_table("batch", columns, named, **serde)
    return [tuple(row)[:-1] for row in _table(lake, spark, "batch").collect()]


def _table(lake: Lake, spark: Any, name: str, predicate: str = "") -> Any:
    from local.runtime.catalog import read_table

    return read_table(spark, lake.name, name, predicate)


def test_blank_is_empty_and_absent_is_null(lake: Lake, spark: Any) -> None:
    rows = _rows(lake, spark, ["a", "b", "c"], 'a,b,c\n1,,3\n,"",\n4\n5,\n')

    assert rows == [("1", "", "3"), ("", "", ""), ("4", None, None), ("5", "", None)]


def test_fields_beyond_the_last_column_are_dropped_or_caught(lake: Lake, spark: Any) -> None:
    assert _rows(lake, spark, ["a", "b"], "a,b\n1,2,3,4\n") == [("1", "2")]
    beyond = Lake(lake.cloud)
    rows = _rows(beyond, spark, ["a", "b", "beyond_last_column"], "a,b\n1,2\n1,2,\n1,2,3\n1,2,3,4\n")
    assert rows == [("1", "2", None), ("1", "2", ""), ("1", "2", "3"), ("1", "2", "3")]


def test_quotes(lake: Lake, spark: Any) -> None:
    text = 'a,b,c\n"x, y","he said ""no""","\'"\n"",""",",x\nplain"quote,b,c\n"never closed,b,c\n'

    rows = _rows(lake, spark, ["a", "b", "c"], text)

    assert rows == [
        ("x, y", 'he said "no"', "'"),
        ("", '",', "x"),
        ('plain"quote', "b", "c"),
        ("never closed,b,c", None, None),
    ]


def test_escapes(lake: Lake, spark: Any) -> None:
    text = 'a,b\n"a \\"quoted\\" word",x\nC:\\\\temp,A\\C\n'

    assert _rows(lake, spark, ["a", "b"], text) == [('a "quoted" word', "x"), ("C:\\temp", "AC")]
    other = Lake(lake.cloud)
    assert _rows(other, spark, ["a", "b"], "a,b\nC:\\temp,A\\C\n", escapeChar="^") == [("C:\\temp", "A\\C")]


def test_white_space_stays(lake: Lake, spark: Any) -> None:
    assert _rows(lake, spark, ["a", "b"], 'a,b\n x , " y "\n\t,\n') == [(" x ", ' " y "'), ("\t", "")]


def test_bytes_that_are_no_utf_8(lake: Lake, spark: Any) -> None:
    rows = _rows(lake, spark, ["a", "b"], b"a,b\nAm\xe9lie,\xff\n\xc3\xa9t\xe9,\xe9\n")

    assert rows == [("Am\ufffdlie", "\ufffd"), ("ét\ufffd", "\ufffd")]


def test_each_file_has_a_header_and_may_be_compressed(lake: Lake, spark: Any) -> None:
    files: dict[str, bytes | str] = {
        "1.csv": "a,b\n1,x\n",
        "2.csv.gz": gzip.compress(b"a,b\n2,y\n"),
        "3.csv": "a,b\n",
        "4.csv": b"",
        "5.csv": "a,b\r\n5,z\r\n\r\n",
        "6.csv": "a,b\n6,no line break at the end",
    }
    lake.csv_table("batch", ["a", "b"], files)

    rows = _table(lake, spark, "batch").select("a", "b").orderBy("a").collect()

    assert [tuple(r) for r in rows] == [("1", "x"), ("2", "y"), ("5", "z"), ("6", "no line break at the end")]


def test_a_row_that_repeats_the_header_is_a_row(lake: Lake, spark: Any) -> None:
    assert _rows(lake, spark, ["a", "b"], "a,b\na,b\n1,2\n") == [("a", "b"), ("1", "2")]


def test_a_line_of_a_hundred_thousand_fields(lake: Lake, spark: Any) -> None:
    rows = _rows(lake, spark, ["a", "b"], "a,b\n1,2\n" + ',"x"' * 100_000 + "\n" + ",y" * 100_000 + "\n")

    assert rows == [("1", "2"), ("", '"x"'), ("", "y")]


def test_a_field_of_a_megabyte(lake: Lake, spark: Any) -> None:
    long = "x" * 1_000_000

    rows = _rows(lake, spark, ["a", "b", "c"], f'a,b,c\n1,{long},2\n3,"{long}, ""y""",\n')

    assert rows == [("1", long, "2"), ("3", f'{long}, "y"', "")]


def test_garbage_is_rows_of_garbage(lake: Lake, spark: Any) -> None:
    binary = bytes(range(256)) * 200
    lake.csv_table("batch", ["a", "b", "beyond_last_column"], {"a.csv": b"\x89PNG\r\n" + binary})

    assert _table(lake, spark, "batch").count() > 0
    assert _table(lake, spark, "batch").where("a is not null").count() > 0


def test_a_file_in_utf_16_loses_no_line(lake: Lake, spark: Any) -> None:
    lake.csv_table("batch", ["a", "b"], {"a.csv": "a,b\n1,2\n3,4\n".encode("utf-16")})

    assert _table(lake, spark, "batch").count() >= 2


def test_the_number_of_rows_is_that_of_the_lines(lake: Lake, spark: Any) -> None:
    lines = [",".join("x" * (n % 5) for n in range(n % 7)) or "z" for n in range(2000)]
    lines[::50] = ['"open,' + "q" * (n % 9) for n in range(40)]
    lake.csv_table("batch", ["a", "b", "c"], {"a.csv": "a,b,c\n" + "\n".join(lines)})

    table = _table(lake, spark, "batch")

    assert table.count() == len(table.collect()) == table.where("a is not null").count() == len(lines)


def test_no_python_sees_a_row(lake: Lake, spark: Any) -> None:
    lake.csv_table("batch", ["a", "b"], {"a.csv": "a,b\n1,2\n"})

    plan = _table(lake, spark, "batch")._jdf.queryExecution().executedPlan().toString()

    assert "Python" not in plan
    assert "Scan ExistingRDD" not in plan


def test_partitions_by_predicate_and_wherever_they_lie(lake: Lake, spark: Any) -> None:
    lake.csv_table("films", ["a"], {"a.csv": "a\n1\n"})
    _add_partition(lake, "films", "2024-01-02", "raw/films/ingest_date=2024-01-02/", "a\n2\n")
    _add_partition(lake, "films", "2024-01-03", "elsewhere/", "a\n3\n")
    _add_partition(lake, "films", "2024-01-04", "raw/films/ingest_date=2024-01-04/", None)

    everything = _table(lake, spark, "films")
    some = _table(lake, spark, "films", "ingest_date >= '2024-01-02' and ingest_date <> '2024-01-04'")

    assert everything.dtypes == [("a", "string"), ("ingest_date", "string")]
    days = [("1", DAY), ("2", "2024-01-02"), ("3", "2024-01-03")]
    assert sorted(map(tuple, everything.collect())) == days
    assert sorted(map(tuple, some.collect())) == days[1:]
    assert _table(lake, spark, "films", "ingest_date = '1999-01-01'").count() == 0


def _add_partition(
    lake: Lake, table: str, day: str, prefix: str, body: str | None, columns: list | None = None
) -> None:
    if body is not None:
        lake.put(f"{prefix}a.csv", body)
    storage = {**lake.table(table)["StorageDescriptor"], "Location": f"s3://{lake.name}/{prefix}"}
    if columns:
        storage["Columns"] = columns
    part = {"Values": [day], "StorageDescriptor": storage}
    lake.glue.create_partition(DatabaseName=lake.name, TableName=table, PartitionInput=part)


def test_partitions_have_columns_of_their_own_order(lake: Lake, spark: Any) -> None:
    lake.csv_table("films", ["a", "b"], {"a.csv": "a,b\n1,x\n"})
    swapped = [{"Name": "b", "Type": "string"}, {"Name": "new", "Type": "string"}, {"Name": "a", "Type": "string"}]
    _add_partition(lake, "films", "2024-01-02", "raw/films/ingest_date=2024-01-02/", "b,new,a\ny,!,2\n", swapped)

    assert sorted(map(tuple, _table(lake, spark, "films").collect())) == [("1", "x", DAY), ("2", "y", "2024-01-02")]


def test_a_table_without_objects_is_empty(lake: Lake, spark: Any) -> None:
    lake.csv_table("batch", ["a", "b"], {"a.csv": b""})

    table = _table(lake, spark, "batch")

    assert (table.columns, table.count()) == (["a", "b", "ingest_date"], 0)


def test_types_as_crawled(lake: Lake, spark: Any) -> None:
    lake.put("raw/films/ingest_date=2024-01-01/a.csv", "id,n,x\na,1,2.5\nb,,\nc,oops,\n")
    crawler = lake.crawler(Classifiers=[lake.csv_classifier()])
    lake.put("raw/films/ingest_date=2024-01-01/a.csv", "id,n,x\na,1,2.5\nb,,\n")
    lake.crawl(crawler)
    lake.put("raw/films/ingest_date=2024-01-01/a.csv", "id,n,x\na,1,2.5\nb,,\nc,oops,\n")

    table = _table(lake, spark, "films").drop("ingest_date")

    assert table.dtypes == [("id", "string"), ("n", "bigint"), ("x", "double")]
    assert [tuple(row) for row in table.collect()] == [("a", 1, 2.5), ("b", None, None), ("c", None, None)]


def test_json_and_parquet_as_crawled(lake: Lake, spark: Any) -> None:
    lake.put("raw/events/ingest_date=2024-01-01/a.json", '{"Id": 1, "tags": ["x"]}\n{"Id": 2, "ok": true}\n')
    written = spark.sql("select 1 as n, cast(2.5 as decimal(14, 2)) as d, timestamp'2024-05-06 07:08:09' as t")
    written.write.parquet(f"s3://{lake.name}/raw/films/ingest_date=2024-01-01/")
    lake.put("raw/films/ingest_date=2024-01-01/empty.parquet", b"")
    lake.crawl(lake.crawler())

    events, films = _table(lake, spark, "events"), _table(lake, spark, "films")

    assert [tuple(row) for row in events.collect()] == [(1, ["x"], None, DAY), (2, None, True, DAY)]
    assert films.dtypes == [("n", "int"), ("d", "decimal(14,2)"), ("t", "timestamp"), ("ingest_date", "string")]
    assert str(films.head()["t"]) == "2024-05-06 07:08:09"


def test_what_cannot_be_read_is_named(lake: Lake, spark: Any) -> None:
    table = {"Name": "odd", "StorageDescriptor": {**TEXT_FORMATS, "Columns": [], "Location": f"s3://{lake.name}/raw/"}}
    lake.put("raw/a.bin", b"x")
    lake.glue.create_table(DatabaseName=lake.name, TableInput={**table, "Parameters": {"classification": "UNKNOWN"}})

    with pytest.raises(ValueError, match="table odd: cannot read classification 'unknown'"):
        _table(lake, spark, "odd")
