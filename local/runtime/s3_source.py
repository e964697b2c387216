"""Files in S3 as Spark DataFrames, chosen and read by the options that Glue's S3 sources have.

https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-connect-s3-home.html
https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-format.html
"""

import bz2
import csv
import gzip
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator
from functools import reduce
from typing import Any

import boto3
from catalog import CsvForm, read_csv
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import StringType, StructField, StructType
from s3_objects import Object, list_objects, true

# Options of a connection. Those of the second group change how fast files are listed and read, not what is read.
CHOOSING = {"boundedFiles", "boundedSize", "compressionType", "exclusions", "path", "paths", "recurse"}
WITHOUT_EFFECT = {"groupFiles", "groupSize", "maxBand", "maxFilesInBand", "useS3ListImplementation"}
FORMAT_OPTIONS = {
    "csv": {
        "escaper",
        "multiLine",
        "optimizePerformance",
        "quoteChar",
        "separator",
        "skipFirst",
        "withHeader",
        "writeHeader",
    },
    "json": {"jsonPath", "multiLine"},
    "parquet": {"compression", "useGlueParquetWriter"},
    "orc": set(),
}
CODECS: dict[str, Callable[[bytes], bytes]] = {"gzip": gzip.decompress, "bzip2": bz2.decompress}
SUFFIXES = {"gzip": ".gz", "bzip2": ".bz2"}
LONGEST_FIELD = 1 << 30


def read_files(spark: SparkSession, options: dict[str, Any], kind: str, format_options: dict[str, Any]) -> DataFrame:
    """The rows of files; without any file, a frame of no rows and no columns, as Glue gives.

    Raises NotImplementedError for an option that is not known, ValueError for options that Glue refuses together.
    """
    if unknown := sorted(set(options) - CHOOSING - WITHOUT_EFFECT):
        raise NotImplementedError(f"S3 source: connection option {', '.join(unknown)}")
    given = {("multiLine" if name == "multiline" else name): value for name, value in format_options.items()}
    if unknown := sorted(set(given) - FORMAT_OPTIONS[kind]):
        raise NotImplementedError(f"S3 source: format option {', '.join(unknown)} of {kind}")
    objects = list_objects(options)
    if not objects:
        return spark.createDataFrame([], StructType([]))
    hidden = _hidden_compression(objects, str(options.get("compressionType") or ""))
    readers = {"csv": _csv, "json": _json, "parquet": _columnar, "orc": _columnar}
    return readers[kind](spark, objects, kind, given, hidden)


def _hidden_compression(objects: list[Object], compression: str) -> str:
    """The compression if the names of the objects do not tell it: Spark goes by the name alone."""
    if compression in ("", "none", "uncompressed"):
        return ""
    if compression not in CODECS:
        return ""  # Parquet's own, which a file of that format says itself
    return "" if all(item.key.endswith(SUFFIXES[compression]) for item in objects) else compression


# CSV ------------------------------------------------------------------------------------------------------------------


def _csv(spark: SparkSession, objects: list[Object], _kind: str, options: dict[str, Any], hidden: str) -> DataFrame:
    """CSV: columns of strings. Each file's own header names its columns; files are joined by the names."""
    form = _form(options)
    header, skip = true(options.get("withHeader")), true(options.get("skipFirst"))
    slow = hidden or form.escape or true(options.get("multiLine")) or (header and skip)
    if true(options.get("optimizePerformance")) and (form.escape or true(options.get("multiLine"))):
        raise ValueError("S3 source: optimizePerformance goes neither with multiLine nor with escaper")
    frames = []
    for first, paths in _by_first_row(objects, form, hidden, header).items():
        names = _names(first, header)
        if slow:
            rows = _records(spark, paths, hidden, form).rdd.flatMap(lambda row: row["rows"][int(header) + int(skip) :])
            width = len(names)
            padded = rows.map(lambda row, width=width: (row + [None] * width)[:width])  # type: ignore[operator]
            frames.append(spark.createDataFrame(padded, _strings(names)))
        else:
            frames.append(read_csv(spark, paths, form, names, header or skip))
    return reduce(lambda left, right: left.unionByName(right, allowMissingColumns=True), frames)


def _form(options: dict[str, Any]) -> CsvForm:
    quote = options.get("quoteChar", '"')
    return CsvForm(options.get("separator", ","), "" if quote in (-1, "-1") else quote, options.get("escaper") or "")


def _strings(names: Iterable[str]) -> StructType:
    return StructType([StructField(name, StringType()) for name in names])


def _by_first_row(objects: list[Object], form: CsvForm, hidden: str, header: bool) -> dict[tuple[str, ...], list[str]]:
    """Paths by the first row: by the header, or by so many columns as it has."""
    found: dict[tuple[str, ...], list[str]] = {}
    for item in objects:
        first = _first_row(item, form, hidden)
        if first is not None:
            found.setdefault(tuple(first) if header else ("",) * len(first), []).append(item.path)
    return found or {(): [item.path for item in objects]}


def _first_row(item: Object, form: CsvForm, hidden: str) -> list[str] | None:
    body = boto3.client("s3").get_object(Bucket=item.bucket, Key=item.key)["Body"]
    if hidden == "gzip" or item.key.endswith(".gz"):
        body = gzip.GzipFile(fileobj=body)
    elif hidden == "bzip2" or item.key.endswith(".bz2"):
        body = bz2.BZ2File(io.BytesIO(body.read()))
    with io.TextIOWrapper(io.BufferedReader(_Raw(body)), "utf-8", errors="replace", newline="") as text:
        return next((row for row in rows_of(text, form) if row), None)


class _Raw(io.RawIOBase):
    """What can be read, as a raw stream."""

    def __init__(self, body: Any) -> None:
        self._body = body

    def readable(self) -> bool:
        """True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read into the buffer."""
        data = self._body.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def _names(first: tuple[str, ...], header: bool) -> list[str]:
    names = [(header and name) or f"col{index}" for index, name in enumerate(first)]
    lower = [name.lower() for name in names]
    if twice := sorted({name for name in names if lower.count(name.lower()) > 1}):
        raise ValueError(f"S3 source: a header has a column twice: {', '.join(twice)}")
    return names


def _records(spark: SparkSession, paths: list[str], hidden: str, form: CsvForm) -> DataFrame:
    """One row a file, with all of its records as the column `rows`."""
    texts = _texts(spark, paths, hidden)
    rows = texts.rdd.map(lambda row: ([fields for fields in rows_of(io.StringIO(row["value"]), form) if fields],))
    return spark.createDataFrame(rows, "rows array<array<string>>")


def _texts(spark: SparkSession, paths: list[str], hidden: str) -> DataFrame:
    """One row a file, its text as the column `value`."""
    if not hidden:
        return spark.read.text(paths, wholetext=True, recursiveFileLookup=True)
    unpack = CODECS[hidden]
    files = spark.read.format("binaryFile").option("recursiveFileLookup", True).load(paths).select("content")
    texts = files.rdd.map(lambda row: (unpack(bytes(row["content"])).decode("utf-8", errors="replace"),))
    return spark.createDataFrame(texts, "value string")


def rows_of(text: Iterable[str], form: CsvForm) -> Iterator[list[str]]:
    """The records of a CSV text, in which quoted fields may span lines; a blank line is an empty list."""
    if form.escape:
        yield from _escaped_rows("".join(text), form)
        return
    csv.field_size_limit(LONGEST_FIELD)
    quoting = csv.QUOTE_MINIMAL if form.quote else csv.QUOTE_NONE
    yield from csv.reader(text, delimiter=form.separator, quotechar=form.quote or None, quoting=quoting)


# "The character which immediately follows is used as-is, except for a small set of well-known escapes."
KNOWN_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "0": "\0"}


def _escaped_rows(text: str, form: CsvForm) -> Iterator[list[str]]:
    fields: list[str] = []
    field, quoted, at = "", False, 0
    while at < len(text):
        sign = text[at]
        at += 1
        if sign == form.escape and at < len(text):
            field += KNOWN_ESCAPES.get(text[at], text[at])
            at += 1
        elif quoted:
            if sign != form.quote:
                field += sign
            elif text[at : at + 1] == form.quote:
                field += sign
                at += 1
            else:
                quoted = False
        elif sign == form.quote:
            quoted = True
        elif sign == form.separator:
            fields.append(field)
            field = ""
        elif sign in "\r\n":
            at += sign == "\r" and text[at : at + 1] == "\n"
            yield [*fields, field] if fields or field else []
            fields, field = [], ""
        else:
            field += sign
    if fields or field:
        yield [*fields, field]


# Other formats --------------------------------------------------------------------------------------------------------


def _json(spark: SparkSession, objects: list[Object], _kind: str, options: dict[str, Any], hidden: str) -> DataFrame:
    """JSON, a record a line, or with `multiLine` or a `jsonPath` anywhere. A line that is no JSON fails the job."""
    reader = spark.read.option("mode", "FAILFAST").option("recursiveFileLookup", True)
    paths = [item.path for item in objects]
    many_lines = true(options.get("multiLine"))
    if path := options.get("jsonPath"):
        steps = json_steps(path)
        texts = _texts(spark, paths, hidden).rdd.map(lambda row: row["value"])
        documents = texts.flatMap(lambda text: [text] if many_lines else text.splitlines())
        found = documents.flatMap(lambda text: select(json.loads(text), steps) if text.strip() else [])
        return reader.json(found.map(lambda value: json.dumps(value, ensure_ascii=False)))
    if hidden:
        texts = _texts(spark, paths, hidden).rdd.map(lambda row: row["value"])
        return reader.json(texts if many_lines else texts.flatMap(str.splitlines))
    return reader.option("multiLine", many_lines).json(paths)


def json_steps(path: str) -> list[str]:
    """The steps of a JsonPath: names, and `*` for each element of a list.

    Raises NotImplementedError for filters, slices and the like.
    """
    if not re.fullmatch(r"\$(\.[A-Za-z_]\w*|\['[^']+'\]|\[\*\])*", path):
        raise NotImplementedError(f"S3 source: jsonPath {path!r}; the local cloud knows $.name, $['name'] and [*]")
    return ["*" if each else name or key for name, key, each in re.findall(r"\.(\w+)|\['([^']+)'\]|(\[\*\])", path)]


def select(value: Any, steps: list[str]) -> list[Any]:
    """What a JsonPath's steps select of a JSON value."""
    if not steps:
        return [value]
    if steps[0] == "*":
        return [found for item in value for found in select(item, steps[1:])] if isinstance(value, list) else []
    return select(value[steps[0]], steps[1:]) if isinstance(value, dict) and steps[0] in value else []


def _columnar(spark: SparkSession, objects: list[Object], kind: str, _options: dict[str, Any], _h: str) -> DataFrame:
    """Parquet or ORC: the columns of all files, matched by name."""
    reader = spark.read.format(kind).option("mergeSchema", True).option("recursiveFileLookup", True)
    return reader.load([item.path for item in objects])
