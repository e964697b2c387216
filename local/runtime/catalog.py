"""Tables of the Glue catalog as Spark DataFrames, read as a Glue job reads them.

CSV is read by position: a blank field is an empty string, a field that the row does not have is NULL, fields beyond the
table's columns are dropped. Spark's own CSV reader cannot tell the first two apart (it makes both NULL), so rows are
tokenized with a marker after their last field, all inside the JVM.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

import boto3
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

# These stand for something while a line is split. Text that is worth reading has no control characters.
END_OF_ROW = "\x01\x02"
NO_SEPARATOR = "\x02\x03"
ESCAPED = "\x04"
# A line of more fails the tokenizer, and with it the job. It is no line of a table: its quotes are taken for text.
MOST_FIELDS = 20_000


@dataclass(frozen=True)
class Files:
    """Files that are read in one go: the columns in them, and where they lie."""

    columns: tuple[tuple[str, str], ...]
    locations: tuple[str, ...]
    values: tuple[str, ...] | None  # the partition's values, or None if they stand in the paths


def read_table(
    spark: SparkSession, database: str, table: str, predicate: str = "", bounds: dict[str, Any] | None = None
) -> DataFrame:
    """Read a catalog table; partition columns come last.

    `predicate` is a SQL expression over the partition columns: partitions that it excludes are not listed. `bounds` are
    the options `boundedFiles` and `boundedSize` (bytes) of an S3 source.
    Raises the Glue client's EntityNotFoundException for an unknown table, ValueError for an unknown format.
    """
    glue = boto3.client("glue")
    description = glue.get_table(DatabaseName=database, Name=table)["Table"]
    keys = [(key["Name"], key["Type"]) for key in description.get("PartitionKeys", [])]
    parts = _partitions(spark, glue, database, table, keys, predicate) if keys else None
    groups = _bounded(list(_groups(description, keys, parts)), bounds or {})
    frames = [_read(spark, description, keys, files) for files in groups]
    if not frames:
        return spark.createDataFrame([], _schema(_columns(description) + keys))
    result = frames[0]
    for frame in frames[1:]:
        result = result.unionByName(frame)
    return result


def _partitions(
    spark: SparkSession, glue: Any, database: str, table: str, keys: list[tuple[str, str]], predicate: str
) -> list[dict[str, Any]]:
    pages = glue.get_paginator("get_partitions").paginate(DatabaseName=database, TableName=table)
    found = [part for page in pages for part in page["Partitions"]]
    if not predicate or not found:
        return found
    rows = ", ".join(f"({index}, {', '.join(_literal(v) for v in part['Values'])})" for index, part in enumerate(found))
    names = ", ".join(f"`{name}`" for name, _ in keys)
    casts = ", ".join(f"cast(`{name}` as {kind}) as `{name}`" for name, kind in keys)
    listed = spark.sql(f"select __index, {casts} from values {rows} as parts(__index, {names})")
    return [found[row["__index"]] for row in listed.where(predicate).collect()]


def _literal(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _groups(table: dict[str, Any], keys: list[tuple[str, str]], parts: list[dict[str, Any]] | None) -> Iterable[Files]:
    """Locations that can be read in one scan: the same columns, and partition values that stand in the path."""
    if parts is None:
        parts = [{"Values": [], "StorageDescriptor": table["StorageDescriptor"]}]
    base = table["StorageDescriptor"]["Location"].rstrip("/")
    grouped: dict[tuple[Any, ...], list[str]] = {}
    for part in parts:
        storage = part["StorageDescriptor"]
        location = storage["Location"].rstrip("/")
        if not _has_objects(location):
            continue
        columns = _part_columns(table, storage)
        values = None if location == _hive_path(base, keys, part["Values"]) and keys else tuple(part["Values"])
        grouped.setdefault((columns, values), []).append(location)
    return [Files(columns, tuple(sorted(locations)), values) for (columns, values), locations in grouped.items()]


def _bounded(groups: list[Files], bounds: dict[str, Any]) -> list[Files]:
    """The same files by their own paths, no more than the bounds allow; all of them without bounds."""
    if not bounds:
        return groups
    # Here, since this module is used outside of jobs as well, where that one is not on the path.
    from s3_objects import bounded, list_objects

    listed = {files: list_objects({"paths": list(files.locations), "recurse": True}) for files in groups}
    chosen = bounded([item for items in listed.values() for item in items], bounds)
    kept = {files: tuple(item.path for item in items if item in chosen) for files, items in listed.items()}
    return [replace(files, locations=paths) for files, paths in kept.items() if paths]


def _part_columns(table: dict[str, Any], storage: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """The partition's own columns for CSV, which knows them by position alone; else the table's."""
    own = storage.get("Columns") or []
    if _format(table) == "csv" and own:
        return tuple((column["Name"], column["Type"]) for column in own)
    return tuple(_columns(table))


def _hive_path(base: str, keys: list[tuple[str, str]], values: list[str]) -> str:
    return "/".join([base, *(f"{name}={value}" for (name, _), value in zip(keys, values, strict=True))])


def _has_objects(location: str) -> bool:
    """Whether anything but empty objects lies there; Spark fails on a folder that does not exist, Glue does not."""
    where = urlsplit(location)
    pages = boto3.client("s3").get_paginator("list_objects_v2")
    prefix = where.path.strip("/") + "/"
    for page in pages.paginate(Bucket=where.netloc, Prefix=prefix.lstrip("/")):
        if any(item["Size"] > 0 for item in page.get("Contents", [])):
            return True
    return False


def _read(spark: SparkSession, table: dict[str, Any], keys: list[tuple[str, str]], files: Files) -> DataFrame:
    in_path = keys if files.values is None else []
    reader = spark.read
    if files.values is None:
        reader = reader.option("basePath", table["StorageDescriptor"]["Location"])
    else:
        reader = reader.option("recursiveFileLookup", True)
    frame = _scan(reader, table, list(files.columns), in_path, list(files.locations))
    if files.values is not None:
        for (name, kind), value in zip(keys, files.values, strict=True):
            frame = frame.withColumn(name, F.lit(value).cast(kind))
    wanted = [_or_null(frame, name, kind) for name, kind in _columns(table)]
    return frame.select(*wanted, *(F.col(f"`{name}`") for name, _ in keys))


def _scan(
    reader: Any, table: dict[str, Any], columns: list[tuple[str, str]], in_path: list[tuple[str, str]], paths: list[str]
) -> DataFrame:
    kind = _format(table)
    if kind == "csv":
        return _scan_csv(reader, table, columns, in_path, paths)
    if kind == "json":
        return _scan_json(reader, table, columns, in_path, paths)
    return reader.schema(_schema(columns + in_path)).format(kind).load(paths)


def _scan_json(
    reader: Any, table: dict[str, Any], columns: list[tuple[str, str]], in_path: list[tuple[str, str]], paths: list[str]
) -> DataFrame:
    """Columns are lower case and members of JSON objects may not be; the SerDe's `paths` has them as they are."""
    members = {name.lower(): name for name in _parameters(table).get("paths", "").split(",")}
    named = [(members.get(name, name), kind) for name, kind in columns]
    frame = reader.schema(_schema(named + in_path)).json(paths)
    return frame.toDF(*(name for name, _ in columns + in_path))


def _or_null(frame: DataFrame, name: str, kind: str) -> Column:
    return F.col(f"`{name}`") if name in frame.columns else F.lit(None).cast(kind).alias(name)


def _columns(table: dict[str, Any]) -> list[tuple[str, str]]:
    return [(column["Name"], column["Type"]) for column in table["StorageDescriptor"]["Columns"]]


def _schema(columns: list[tuple[str, str]]) -> str:
    return ", ".join(f"`{name}` {kind}" for name, kind in columns)


def _parameters(table: dict[str, Any]) -> dict[str, str]:
    storage = table["StorageDescriptor"]
    serde = storage.get("SerdeInfo", {})
    return {**serde.get("Parameters", {}), **table.get("Parameters", {}), **storage.get("Parameters", {})}


def _format(table: dict[str, Any]) -> str:
    """The Spark reader for a table: by its classification as Glue does, else by its SerDe."""
    classification = _parameters(table).get("classification", "").lower()
    library = table["StorageDescriptor"].get("SerdeInfo", {}).get("SerializationLibrary", "").lower()
    by_serde = {"parquet": "parquet", "json": "json", "csv": "csv", "lazysimple": "csv", "orc": "orc"}
    for name in ("parquet", "json", "csv", "orc"):
        if classification == name:
            return name
    for part, name in by_serde.items():
        if part in library:
            return name
    raise ValueError(f"table {table['Name']}: cannot read classification {classification!r} with {library!r}")


def _scan_csv(
    reader: Any, table: dict[str, Any], columns: list[tuple[str, str]], in_path: list[tuple[str, str]], paths: list[str]
) -> DataFrame:
    parameters = _parameters(table)
    header = parameters.get("skip.header.line.count", "0") != "0"
    return split_lines(text_lines(reader, paths, header, in_path), columns, CsvForm.of(parameters))


def text_lines(reader: Any, paths: list[str], header: bool, in_path: list[tuple[str, str]] | None = None) -> DataFrame:
    """The lines of text files as column `line`, without each file's first one if that is a header.

    Spark's CSV reader does this, told to split at what is in no line: it drops blank lines and headers, reads .gz, and
    puts U+FFFD for bytes that are no UTF-8.
    """
    schema = _schema([("line", "string"), *(in_path or [])])
    return reader.schema(schema).option("sep", NO_SEPARATOR).option("quote", "").option("header", header).csv(paths)


@dataclass(frozen=True)
class CsvForm:
    """How a line is split into fields; the empty string is none."""

    separator: str = ","
    quote: str = '"'
    escape: str = ""

    @classmethod
    def of(cls, parameters: dict[str, str]) -> "CsvForm":
        """The form that a table's parameters give, by the names of OpenCSVSerDe, LazySimpleSerDe or a crawler."""
        separator = parameters.get("separatorChar") or parameters.get("field.delim") or parameters.get("delimiter")
        escape = parameters.get("escapeChar", "")
        return cls(separator or ",", parameters.get("quoteChar", '"'), "" if escape == '"' else escape)


def split_lines(lines: DataFrame, columns: list[tuple[str, str]], form: CsvForm) -> DataFrame:
    """Split the column `line` into typed columns; the frame's other columns stay, last.

    Text that does not become its column's type is NULL.
    """
    width = len(columns)
    others = [F.col(f"`{name}`") for name in lines.columns if name != "line"]
    frame = lines.select(_without_escapes(F.col("line"), form).alias("line"), *others)
    # Each step is a projection of its own, which Spark keeps apart because several columns need what it gives.
    frame = frame.select(_plain(form).alias("_plain"), _quoted(width, form).alias("_quoted"), *others)
    frame = frame.select("*", _end_of_row(width).alias("_end"))
    typed = [_field(index, form).cast(kind).alias(name) for index, (name, kind) in enumerate(columns)]
    return frame.select(*typed, *others)


def _has_quotes(form: CsvForm) -> Column:
    if not form.quote:
        return F.lit(False)
    return F.contains("line", F.lit(form.quote)) & (_separators(F.col("line"), form) < MOST_FIELDS)


def _separators(text: Column, form: CsvForm) -> Column:
    """How many separators are in a text."""
    without = F.octet_length(F.replace(text, F.lit(form.separator)))
    return ((F.octet_length(text) - without) / len(form.separator.encode())).cast("int")


def _plain(form: CsvForm) -> Column:
    """The fields of a line without quotes, which is the common case and three times as fast; NULL for others."""
    fields = F.split("line", re.escape(form.separator), -1)
    return F.when(~_has_quotes(form), fields)


def _quoted(width: int, form: CsvForm) -> Column:
    """The fields of a line with quotes as a struct `_c0`, `_c1` …; NULL for lines without."""
    raw = ", ".join(f"_c{index}: string" for index in range(width + 1))
    if not form.quote:
        return F.lit(None).cast(f"struct<{raw}>")
    options = {"sep": form.separator, "quote": form.quote, "escape": form.quote}
    return F.when(_has_quotes(form), F.from_csv(_marked(width, form), f"struct<{raw}>", options))


def _marked(width: int, form: CsvForm) -> Column:
    """The line with markers after its last field, as many as make width + 1 fields of it.

    One marker says where the row ends; but Spark raises an exception inside for each row that has another number of
    fields than asked for, which makes reading ten times slower. So rows are filled up, and only rows with too many
    fields, or with stray quotes, take the slow way.
    """
    quote = re.escape(form.quote)
    bare = F.regexp_replace("line", f"{quote}[^{quote}]*{quote}", "")
    missing = F.greatest(F.lit(1), F.lit(width) - _separators(bare, form))
    return F.concat("line", F.call_function("repeat", F.lit(form.separator + END_OF_ROW), missing))


def _end_of_row(width: int) -> Column:
    """How many fields a row with quotes has, or width + 1 if more than the table's columns."""
    ends = (F.when(F.col(f"_quoted._c{index}").endswith(END_OF_ROW), F.lit(index)) for index in range(width + 1))
    return F.when(F.col("_quoted").isNotNull(), F.coalesce(*ends, F.lit(width + 1)))


def _field(index: int, form: CsvForm) -> Column:
    text = F.col(f"_quoted._c{index}")
    present = F.when(F.col("_end") > index, F.coalesce(text, F.lit("")))
    # A quote that is never closed swallows the markers: the rest of the line is the field.
    unclosed = text.endswith(form.separator + END_OF_ROW)
    rest = F.regexp_replace(text, f"(?:{re.escape(form.separator + END_OF_ROW)})+$", "")
    quoted = F.when((F.col("_end") == index) & unclosed, rest).otherwise(present)
    return F.when(F.col("_plain").isNotNull(), F.get("_plain", F.lit(index))).otherwise(quoted)


def _without_escapes(line: Column, form: CsvForm) -> Column:
    """Turn an escaped quote into a doubled one; any other escaped character stands for itself."""
    if not form.escape:
        return line
    kept = F.replace(line, F.lit(form.escape * 2), F.lit(ESCAPED))
    if form.quote:
        kept = F.replace(kept, F.lit(form.escape + form.quote), F.lit(form.quote * 2))
    plain = F.replace(F.replace(kept, F.lit(form.escape), F.lit("")), F.lit(ESCAPED), F.lit(form.escape))
    return F.when(F.contains(line, F.lit(form.escape)), plain).otherwise(line)


def read_csv(spark: SparkSession, paths: list[str], form: CsvForm, names: list[str], header: bool) -> DataFrame:
    """Read CSV files without a catalog table, as columns of strings of these names; `header`: pass over first lines."""
    reader = spark.read.option("recursiveFileLookup", True)
    return split_lines(text_lines(reader, paths, header), [(name, "string") for name in names], form)
