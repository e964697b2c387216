"""Files of this machine as DataFrames, as Glue reads them once they are crawled: CSV, JSON lines, Parquet.

CSV columns get the types that the crawler's classifier tells apart (bigint, double, string); a text that is no such
number is NULL, a blank in a text column is an empty text.
https://docs.aws.amazon.com/glue/latest/dg/add-classifier.html
"""

from __future__ import annotations

import csv
import gzip
import json
import tempfile
import zlib
from dataclasses import dataclass, field
from functools import reduce
from io import TextIOWrapper
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from local.dq.predicates import column
from local.dq.spanning import BREAK, opened, with_a_row_a_line
from local.glue_formats import UNKNOWN, CsvClassifier, FileSchema, inspect_file, merge_columns
from local.runtime.catalog import CsvForm, split_lines, text_lines

# By the end of the name, .gz left out; what is named otherwise is told by its content.
FORMATS = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".json": "json",
    ".jsonl": "json",
    ".ndjson": "json",
    ".parquet": "parquet",
}
NAMES = {"csv": "CSV", "json": "JSON lines", "parquet": "Parquet"}
MALFORMED = "__malformed_line"
# The column of what a CSV row has beyond its header's last one.
BEYOND = "__beyond_last_column"


class DataError(ValueError):
    """Data that cannot be read. The message names the file, what is wrong and what to do."""


@dataclass(frozen=True)
class Data:
    """What was read; `notes` are things that a person should know about it."""

    frame: DataFrame
    format: str
    files: int
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _File:
    path: Path
    format: str
    partition: tuple[tuple[str, str], ...]  # names and values of the folders `name=value` above it


def read(spark: SparkSession, path: Path, text: bool = False) -> Data:
    """Read a file, or all files in a folder and below it, which must be of one format.

    `text` leaves CSV columns text, as the tables of the pipeline's gates do. Folders named `name=value` become
    columns of text. Raises DataError.
    """
    files = _files(path)
    kind = files[0].format
    if kind == "csv":
        frame, notes = _csv(spark, files, text)
        return Data(frame, kind, len(files), notes)
    frame = _materialized((_json if kind == "json" else _parquet)(spark, files))
    return Data(frame, kind, len(files))


def check(path: Path) -> None:
    """Look at the files before their rows are read: what is missing, empty or mixed is a DataError at once."""
    _files(path)


def _files(path: Path) -> list[_File]:
    if not path.exists():
        raise DataError(f"{path}: no such file or folder")
    if path.is_file():
        return [_File(path, _format(path), ())]
    found = sorted(each for each in path.rglob("*") if each.is_file() and not _hidden(each, path))
    if not found:
        raise DataError(f"{path}: the folder has no files")
    filled = [each for each in found if each.stat().st_size > 0]
    if not filled:
        raise DataError(f"{path}: all files in the folder are empty")
    files = [_File(each, _format(each), _partition(each, path)) for each in filled]
    other = next((each for each in files if each.format != files[0].format), None)
    if other is not None:
        raise DataError(
            f"{path}: the folder mixes formats: {_relative(files[0].path, path)} is {NAMES[files[0].format]}, "
            f"{_relative(other.path, path)} is {NAMES[other.format]}; give files of one format"
        )
    other = next((each for each in files if _keys(each) != _keys(files[0])), None)
    if other is not None:
        raise DataError(
            f"{path}: {_relative(files[0].path, path)} and {_relative(other.path, path)} lie under different kinds of "
            "folders name=value"
        )
    return files


def _hidden(path: Path, root: Path) -> bool:
    """Spark's and Hive's rule for what is no data: _SUCCESS, .crc and the like."""
    return any(part.startswith((".", "_")) for part in path.relative_to(root).parts)


def _partition(path: Path, root: Path) -> tuple[tuple[str, str], ...]:
    folders = path.relative_to(root).parts[:-1]
    return tuple((name, value) for name, sign, value in (each.partition("=") for each in folders) if sign)


def _keys(file: _File) -> list[str]:
    return [name for name, _ in file.partition]


def _relative(path: Path, root: Path) -> str:
    return str(path.relative_to(root))


def _format(path: Path) -> str:
    """The format of a file. Raises DataError for an empty one, a broken one, and one that is none of the three."""
    if path.stat().st_size == 0:
        raise DataError(f"{path}: the file is empty")
    suffixes = [suffix.lower() for suffix in path.suffixes]
    with path.open("rb") as file:
        start = file.read(4)
    zipped = start[:2] == b"\x1f\x8b"
    if zipped != (suffixes[-1:] == [".gz"]):
        raise DataError(
            f"{path}: the file is compressed with gzip, but its name does not end in .gz; rename it"
            if zipped
            else f"{path}: the name ends in .gz, but the file is not compressed with gzip"
        )
    if zipped:
        _check_gzip(path)
    if start == b"PAR1":
        _check_parquet(path)
        return "parquet"
    named = FORMATS.get(next(reversed(suffixes[:-1] if zipped else suffixes), ""))
    if named == "parquet":
        raise DataError(f"{path}: this is no Parquet file, though its name says so")
    return named or _sniffed(path)


def _check_gzip(path: Path) -> None:
    try:
        with gzip.open(path) as file:
            if not file.read(1):
                raise DataError(f"{path}: the file is empty")
            while file.read(1 << 20):
                pass
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path}: the compressed file is broken: {error}") from None


def _check_parquet(path: Path) -> None:
    try:
        pq.read_schema(path)
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{path}: cannot be read as Parquet: {error}") from None


def _sniffed(path: Path) -> str:
    schema = _inspected(path, CsvClassifier(delimiter=",", header="PRESENT"))
    if schema.classification == UNKNOWN:
        raise DataError(f"{path}: neither CSV nor JSON lines nor Parquet")
    return schema.classification


def _inspected(path: Path, *classifiers: CsvClassifier) -> FileSchema:
    with path.open("rb") as file:

        def part(start: int, length: int) -> bytes:
            file.seek(start)
            return file.read(length)

        return inspect_file(path.stat().st_size, part, list(classifiers))


# CSV ------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Header:
    names: tuple[str, ...]
    separator: str


def _csv(spark: SparkSession, files: list[_File], text: bool) -> tuple[DataFrame, list[str]]:
    """Files with the same first line are read together; columns are put together by name."""
    groups: dict[tuple[_Header, tuple[tuple[str, str], ...]], list[Path]] = {}
    types: dict[str, str] = {}
    spanning = 0
    with tempfile.TemporaryDirectory(prefix="rows-") as folder:
        for file in files:
            header, columns = _header(file.path)
            path, spans = file.path, 0
            if not text:
                path, spans = with_a_row_a_line(path, header.separator, len(header.names), Path(folder))
            if spans:
                header, columns = _header(path)
            spanning += spans
            groups.setdefault((header, file.partition), []).append(path)
            types = merge_columns(types, columns)
        frames = [_texts(spark, header, paths, partition) for (header, partition), paths in groups.items()]
        texts = _materialized(reduce(lambda one, other: one.unionByName(other, allowMissingColumns=True), frames))
    told = "over several lines, each read as one; --text reads a row a line, as crawled tables do"
    notes = [f"{_rows(spanning)} {told}"] if spanning else []
    numbers = {} if text else {name: kind for name, kind in types.items() if kind in ("bigint", "double")}
    typed, more = _typed(texts, numbers)
    return (_with_breaks(typed) if spanning else typed), [*notes, *more]


def _with_breaks(frame: DataFrame) -> DataFrame:
    texts = {
        name: F.replace(column(name), F.lit(BREAK), F.lit("\n")) for name, kind in frame.dtypes if kind == "string"
    }
    return frame.withColumns(texts)


def _header(path: Path) -> tuple[_Header, dict[str, str]]:
    """A file's first line, and the types of its columns by lower-case name, from a sample as a crawler takes it."""
    first = _first_line(path)
    separator = max((",", "|", "\t", ";", "\x01"), key=first.count)
    schema = _inspected(path, CsvClassifier(delimiter=separator, header="PRESENT", single_column=True))
    if schema.classification != "csv":
        seems = f"; it seems to be {NAMES[schema.classification]}" if schema.classification in NAMES else ""
        raise DataError(f"{path}: this is no CSV file{seems}")
    given = next(csv.reader([first], delimiter=separator))
    # The catalog's names: unique, and `col0` and on where there is none; here in the file's own spelling.
    own = [text.strip() for text in given]
    names = tuple(text if text.lower() == name else name for text, name in zip(own, schema.columns, strict=True))
    return _Header(names, separator), schema.columns


def _first_line(path: Path) -> str:
    with opened(path) as file:
        for line in TextIOWrapper(file, encoding="utf-8-sig", errors="replace"):
            if line.strip():
                return line.rstrip("\r\n")
    raise DataError(f"{path}: the file has blank lines alone")


def _texts(
    spark: SparkSession, header: _Header, paths: list[Path], partition: tuple[tuple[str, str], ...]
) -> DataFrame:
    lines = text_lines(spark.read, [_url(path) for path in paths], header=True)
    frame = split_lines(lines, [(name, "string") for name in (*header.names, BEYOND)], CsvForm(header.separator))
    return _partitioned(frame, partition)


def _partitioned(frame: DataFrame, partition: tuple[tuple[str, str], ...]) -> DataFrame:
    return frame.withColumns({name: F.lit(value) for name, value in partition}) if partition else frame


def _typed(texts: DataFrame, numbers: dict[str, str]) -> tuple[DataFrame, list[str]]:
    """The texts as their types, and notes on what is not as it should be."""
    names = [name for name in texts.columns if name != BEYOND]
    kinds = {name: numbers[name.lower()] for name in names if name.lower() in numbers}
    values = {name: column(name).cast(kinds[name]) if name in kinds else column(name) for name in names}
    # One scan counts all that is noted.
    broken = F.exists(F.array(*map(column, names)), lambda text: text.contains("\ufffd"))
    unlike = [(F.trim(column(name)) != "") & values[name].isNull() for name in kinds]
    wanted = [F.count_if(each) for each in (F.lit(True), column(BEYOND) != "", broken, *unlike)]
    counts: Any = texts.agg(*wanted).first()
    notes = [] if counts[0] else ["there is a header and no row"]
    told = [
        "more fields than the header: what is beyond the last column is left out",
        "bytes that are no UTF-8: each is read as \ufffd",
        *(f'a text in "{name}" that is no {kind}: it is NULL; --text keeps it' for name, kind in kinds.items()),
    ]
    notes += [f"{_rows(count)} with {note}" for note, count in zip(told, counts[1:], strict=True) if count]
    return texts.select(*(value.alias(name) for name, value in values.items())), notes


def _rows(number: int) -> str:
    return f"{number:,} row{'' if number == 1 else 's'}"


# JSON lines and Parquet -----------------------------------------------------------------------------------------------


def _json(spark: SparkSession, files: list[_File]) -> DataFrame:
    """Typed by all rows, as a DynamicFrame is."""
    records = [_check_json(file.path) for file in files]
    if not any(records):
        raise DataError(f"{files[0].path}: no records")
    frames = []
    for partition, paths in _by_partition(files).items():
        frame = spark.read.json([_url(path) for path in paths], columnNameOfCorruptRecord=MALFORMED)
        frames.append(_partitioned(frame.drop(MALFORMED), partition))
    return reduce(lambda one, other: one.unionByName(other, allowMissingColumns=True), frames)


def _check_json(path: Path) -> int:
    """How many records a file has. Raises DataError for the first line that is none."""
    records = 0
    with opened(path) as file:
        for number, line in enumerate(TextIOWrapper(file, encoding="utf-8-sig", errors="replace"), start=1):
            if not line.strip():
                continue
            try:
                record = json.loads(line)
            except ValueError as error:
                raise DataError(f"{path}, line {number}: no JSON: {error}; each line must be one JSON object") from None
            if not isinstance(record, dict):
                raise DataError(f"{path}, line {number}: no JSON object; each line must be one")
            records += 1
    return records


def _parquet(spark: SparkSession, files: list[_File]) -> DataFrame:
    frames = []
    for partition, paths in _by_partition(files).items():
        try:
            frame = spark.read.option("mergeSchema", len(paths) > 1).parquet(*(_url(path) for path in paths))
        except (PySparkException, Py4JJavaError) as error:
            java = getattr(error, "java_exception", None)
            reason = str(java.getMessage() if java is not None else error).splitlines()[0]
            raise DataError(f"{paths[0].parent}: the Parquet files do not fit together: {reason}") from None
        frames.append(_partitioned(frame, partition))
    return reduce(lambda one, other: one.unionByName(other, allowMissingColumns=True), frames)


def _by_partition(files: list[_File]) -> dict[tuple[tuple[str, str], ...], list[Path]]:
    found: dict[tuple[tuple[str, str], ...], list[Path]] = {}
    for file in files:
        found.setdefault(file.partition, []).append(file.path)
    return found


def _url(path: Path) -> str:
    """A path as Spark takes it literally: in one of its own, `*`, `[` and `{` are patterns."""
    escaped = "".join(f"\\{sign}" if sign in "*?[]{}\\" else sign for sign in str(path.resolve()))
    return f"file://{escaped}"


def _materialized(frame: DataFrame) -> DataFrame:
    """The rows read once and kept: rules of different kinds scan them several times.

    A cached frame would not do: Deequ's rules on uniqueness read the files again all the same.
    """
    return frame.localCheckpoint()
