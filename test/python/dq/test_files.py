"""Files of this machine read as Glue reads them once they are crawled, and what cannot be read."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from local.dq.files import DataError, check, read

CSV = "Id,name,year,score\n1,ann,1999,1.5\n2,,2001,\n3,bob,soon,2\n"


def write(folder: Path, files: dict[str, str | bytes]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def rows(data: Any) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in data.frame.collect()]


@pytest.mark.spark
def test_csv_has_the_types_of_a_crawled_table(spark: Any, tmp_path: Path) -> None:
    data = read(spark, write(tmp_path, {"a.csv": CSV}) / "a.csv")
    # "soon" makes the column text: a crawler takes the type that fits all rows of its sample.
    assert data.frame.dtypes == [("Id", "bigint"), ("name", "string"), ("year", "string"), ("score", "double")]
    assert rows(data)[1] == (2, "", "2001", None)  # a blank number is NULL, a blank text is none
    assert data.notes == []


@pytest.mark.spark
def test_texts_beyond_the_sample_that_are_no_numbers_are_told(spark: Any, tmp_path: Path) -> None:
    lines = ["n,t", *(f"{n},x" for n in range(1500)), "many,y", "more,z"]
    data = read(spark, write(tmp_path, {"a.csv": "\n".join(lines)}) / "a.csv")
    assert data.frame.dtypes[0] == ("n", "bigint")
    assert data.frame.where("n is null").count() == 2
    assert data.notes == ['2 rows with a text in "n" that is no bigint: it is NULL; --text keeps it']


@pytest.mark.spark
def test_csv_rows_over_several_lines(spark: Any, tmp_path: Path) -> None:
    text = 'id,name,note\n1,"two\nlines, ""quoted""",a\r\n2,"never closed,b\n3,"c""\n\nd","e"\n'
    write(tmp_path, {"a.csv.gz": gzip.compress(text.encode())})
    data = read(spark, tmp_path / "a.csv.gz")
    assert data.frame.dtypes[0] == ("id", "bigint")
    assert rows(data) == [(1, 'two\nlines, "quoted"', "a"), (2, "never closed,b", None), (3, 'c"\n\nd', "e")]
    assert data.notes == [
        "2 rows over several lines, each read as one; --text reads a row a line, as crawled tables do"
    ]
    assert read(spark, tmp_path / "a.csv.gz", text=True).frame.count() == 5  # blank lines are none


@pytest.mark.spark
def test_signs_that_end_no_line(spark: Any, tmp_path: Path) -> None:
    data = read(spark, write(tmp_path, {"a.csv": "id,name\n1,a\u2028b\n2,c\x0bd\n"}) / "a.csv")
    assert rows(data) == [(1, "a\u2028b"), (2, "c\x0bd")]


@pytest.mark.spark
def test_what_a_csv_loses_is_told(spark: Any, tmp_path: Path) -> None:
    data = read(spark, write(tmp_path, {"a.csv": b"id,name\n1,caf\xe9\n2\n3,x,more\n4,y,\n"}) / "a.csv")
    assert rows(data) == [(1, "caf\ufffd"), (2, None), (3, "x"), (4, "y")]
    assert data.notes == [
        "1 row with more fields than the header: what is beyond the last column is left out",
        "1 row with bytes that are no UTF-8: each is read as \ufffd",
    ]
    assert read(spark, write(tmp_path, {"b.csv": "id,name\n"}) / "b.csv").notes == ["there is a header and no row"]


@pytest.mark.spark
def test_csv_as_text(spark: Any, tmp_path: Path) -> None:
    data = read(spark, write(tmp_path, {"a.csv": CSV}), text=True)
    assert {kind for _, kind in data.frame.dtypes} == {"string"}
    assert rows(data)[1] == ("2", "", "2001", "")


@pytest.mark.spark
def test_a_folder_of_files(spark: Any, tmp_path: Path) -> None:
    folder = write(
        tmp_path / "a b[1]",
        {
            "day=1/a.csv.gz": gzip.compress(b"id;x\n1;2\n"),
            "day=2/b.csv": "ID,y\n2,z\n",
            "day=2/empty.csv": "",
            "day=2/_SUCCESS": "",
            ".hidden": "{}",
        },
    )
    data = read(spark, folder)
    assert (data.format, data.files) == ("csv", 2)
    assert data.frame.columns == ["id", "x", "day", "y"]
    assert sorted(rows(data)) == [(1, 2, "1", None), (2, None, "2", "z")]


@pytest.mark.spark
def test_json_lines_and_parquet(spark: Any, tmp_path: Path) -> None:
    folder = write(tmp_path, {"a/a.jsonl": '{"A": 1}\n\n{"A": 2.5, "b": "x"}\n', "b/_": ""})
    assert rows(read(spark, folder / "a")) == [(1.0, None), (2.5, "x")]
    pq.write_table(pa.table({"n": [1, None]}), folder / "b/one")
    assert rows(read(spark, folder / "b" / "one")) == [(1,), (None,)]


@pytest.mark.parametrize(
    ("files", "name", "message"),
    [
        ({}, "gone.csv", "no such file or folder"),
        ({}, "", "the folder has no files"),
        ({"a.csv": ""}, "a.csv", "the file is empty"),
        ({"a.csv": "", "b.csv": ""}, "", "all files in the folder are empty"),
        (
            {"a.csv": "a,b\n1,2\n", "b/c.json": '{"a": 1}\n'},
            "",
            r"mixes formats: a\.csv is CSV, b/c\.json is JSON lines",
        ),
        ({"day=1/a.csv": "a\n1\n", "a.csv": "a\n1\n"}, "", "different kinds of folders"),
        ({"a.csv": gzip.compress(b"a\n1\n")}, "a.csv", r"name does not end in \.gz"),
        ({"a.csv.gz": "a\n1\n"}, "a.csv.gz", "not compressed with gzip"),
        ({"a.csv.gz": gzip.compress(b"a\n1\n" * 999)[:40]}, "a.csv.gz", "the compressed file is broken"),
        ({"a.parquet": "a,b\n1,2\n"}, "a.parquet", "no Parquet file"),
        ({"a": b"PAR1 but no more"}, "a", "cannot be read as Parquet"),
        ({"a.dat": b"\0\1\2\3"}, "a.dat", "neither CSV nor JSON lines nor Parquet"),
    ],
)
def test_what_cannot_be_read_is_told_before_spark_starts(
    tmp_path: Path, files: dict[str, str | bytes], name: str, message: str
) -> None:
    with pytest.raises(DataError, match=message) as told:
        check(write(tmp_path, files) / name)
    assert str(tmp_path) in str(told.value)


@pytest.mark.spark
@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.jsonl", '{"a": 1}\n{"a": \n', "line 2: no JSON"),
        ("a.json", "[1,\n2]\n", "line 1: no JSON"),
        ("a.json", "[1]\n", "line 1: no JSON object"),
        ("a.json", "\n\n", "no records"),
        ("a.csv", '{"a": 1}\n', "no CSV file; it seems to be JSON lines"),
        ("a.csv", "\n\n", "blank lines alone"),
    ],
)
def test_what_turns_out_unreadable(spark: Any, tmp_path: Path, name: str, content: str | bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(spark, write(tmp_path, {name: content}) / name)


@pytest.mark.spark
def test_parquet_files_of_different_types(spark: Any, tmp_path: Path) -> None:
    pq.write_table(pa.table({"n": [1]}), tmp_path / "a.parquet")
    pq.write_table(pa.table({"n": ["x"]}), tmp_path / "b.parquet")
    with pytest.raises(DataError, match="do not fit together"):
        read(spark, tmp_path)
