"""What a crawler's classifiers see in files: format, columns and their types, from a bounded sample.

https://docs.aws.amazon.com/glue/latest/dg/add-classifier.html
"""

from __future__ import annotations

import bz2
import csv
import io
import json
import re
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

SAMPLE_BYTES = 1 << 20  # of a file; Glue, too, reads the beginning only
SAMPLE_ROWS = 1000
UNKNOWN = "UNKNOWN"

HIVE = "org.apache.hadoop.hive."
TEXT_FORMATS = ("org.apache.hadoop.mapred.TextInputFormat", HIVE + "ql.io.HiveIgnoreKeyTextOutputFormat")
PARQUET_FORMATS = (HIVE + "ql.io.parquet.MapredParquetInputFormat", HIVE + "ql.io.parquet.MapredParquetOutputFormat")
LAZY_SIMPLE = HIVE + "serde2.lazy.LazySimpleSerDe"
OPEN_CSV = HIVE + "serde2.OpenCSVSerde"

# Types from narrow to wide; two of one row merge to the wider.
WIDENING = (
    ("tinyint", "smallint", "int", "bigint", "double"),
    ("float", "double"),
    ("date", "timestamp"),
)


@dataclass(frozen=True)
class CsvClassifier:
    """A custom CSV classifier, or the built-in one.

    https://docs.aws.amazon.com/glue/latest/webapi/API_CsvClassifier.html
    """

    delimiter: str = ""  # "" means: find out
    quote: str = '"'
    header: str = "UNKNOWN"  # PRESENT, ABSENT or UNKNOWN
    names: tuple[str, ...] = ()
    single_column: bool = False
    serde: str = LAZY_SIMPLE

    @classmethod
    def of(cls, definition: dict[str, Any]) -> CsvClassifier:
        """The classifier of a CsvClassifier in the Glue API."""
        return cls(
            definition.get("Delimiter") or ",",
            definition.get("QuoteSymbol") or '"',
            definition.get("ContainsHeader") or "UNKNOWN",
            tuple(definition.get("Header") or ()),
            bool(definition.get("AllowSingleColumn")),
            OPEN_CSV if definition.get("Serde") == "OpenCSVSerDe" else LAZY_SIMPLE,
        )


@dataclass
class FileSchema:
    """What a file, or files of one folder together, look like."""

    classification: str
    columns: dict[str, str] = field(default_factory=dict)  # name to Glue type ("": no value seen), in the files' order
    serde: str = ""
    serde_parameters: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)
    compression: str = "none"
    rows: int = 0  # an estimate where the file is larger than the sample
    size: int = 0  # bytes
    files: int = 1

    @property
    def formats(self) -> tuple[str, str]:
        """Hive's input and output format."""
        return PARQUET_FORMATS if self.classification == "parquet" else TEXT_FORMATS


def inspect_file(size: int, read: Callable[[int, int], bytes], classifiers: list[CsvClassifier]) -> FileSchema:
    """Classify a file of `size` bytes; `read(start, length)` gives a part of it.

    For CSV, custom classifiers go first, in their order, then the built-in one. What none knows is UNKNOWN.
    """
    head = read(0, min(size, SAMPLE_BYTES))
    if head.startswith(b"PAR1"):
        schema = _parquet(size, read)
    else:
        data, compression = _decompress(head)
        schema = _text(data, len(head) == size, classifiers)
        schema.compression = compression
        if schema.rows and len(head) < size:
            schema.rows = round(schema.rows * size / len(head))
    schema.size = size
    return schema


def combine(schemas: Iterable[FileSchema]) -> FileSchema:
    """One schema for files that lie together: the most frequent format's, with the columns of all files of it."""
    found = list(schemas)
    known = [schema for schema in found if schema.classification != UNKNOWN] or found
    names = [schema.classification for schema in known]
    winner = max(dict.fromkeys(names), key=names.count)
    same = [schema for schema in known if schema.classification == winner]
    return FileSchema(
        winner,
        reduce(merge_columns, (schema.columns for schema in same)),
        same[0].serde,
        reduce(merge_serde, (schema.serde_parameters for schema in same)),
        same[0].parameters,
        same[0].compression,
        sum(schema.rows for schema in found),
        sum(schema.size for schema in found),
        sum(schema.files for schema in found),
    )


def merge_columns(old: dict[str, str], new: dict[str, str]) -> dict[str, str]:
    """All columns of both, those of `old` first; where types differ, one that holds both."""
    merged = dict(old)
    for name, kind in new.items():
        merged[name] = merge_types(merged[name], kind) if name in merged else kind
    return merged


def merge_serde(old: dict[str, str], new: dict[str, str]) -> dict[str, str]:
    """A SerDe's parameters for files of both; of JSON, `paths` names all members that are read."""
    if "paths" not in old or "paths" not in new:
        return old
    return {**old, "paths": ",".join(sorted({*old["paths"].split(","), *new["paths"].split(",")}))}


def merge_types(one: str, other: str) -> str:
    """The narrowest Glue type that holds values of both; text if there is no other."""
    if one == other or not other:
        return one
    for row in WIDENING:
        if one in row and other in row:
            return row[max(row.index(one), row.index(other))]
    return other if not one else "string"


def _decompress(head: bytes) -> tuple[bytes, str]:
    if head.startswith(b"\x1f\x8b"):
        return _partly(zlib.decompressobj(wbits=31).decompress, head), "gzip"
    if head.startswith(b"BZh"):
        return _partly(bz2.BZ2Decompressor().decompress, head), "bzip2"
    return head, "none"


def _partly(decompress: Callable[[bytes, int], bytes], head: bytes) -> bytes:
    try:
        return decompress(head, 8 * SAMPLE_BYTES)
    except (zlib.error, OSError):
        return b""


def _text(data: bytes, whole: bool, classifiers: list[CsvClassifier]) -> FileSchema:
    """Lines as text. Bytes that are no UTF-8 do not keep a file from being CSV: Latin-1 is common."""
    text = data.decode("utf-8-sig", errors="replace")
    if "\0" in text or _control_characters(text) > 0.01:
        return FileSchema(UNKNOWN)
    # Not splitlines: to readers of tables, other signs than these end no line.
    lines = re.split(r"\r\n|\n|\r", text)
    if not whole and len(lines) > 1:
        lines.pop()  # cut off within the line
    lines = [line for line in lines if line.strip()]
    # JSON before all else: its commas would pass for a CSV's.
    if schema := _json(lines, text):
        return schema
    found = (_csv(lines, classifier) for classifier in [*classifiers, CsvClassifier()])
    return next((schema for schema in found if schema), FileSchema(UNKNOWN))


def _control_characters(text: str) -> float:
    """The share of characters that no text has."""
    return len(re.findall(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]", text)) / max(1, len(text))


def _csv(lines: list[str], classifier: CsvClassifier) -> FileSchema | None:
    if not lines:
        return None
    delimiter = classifier.delimiter or _find_delimiter(lines[0])
    if len(delimiter) != 1:
        return None
    rows = _csv_rows(lines[: SAMPLE_ROWS + 1], delimiter, classifier.quote)
    if not rows or (len(rows[0]) < 2 and not classifier.single_column):
        return None
    header = _has_header(rows, classifier)
    # The built-in classifier wants two rows at least; one row says nothing of a file.
    if header is None:
        return None
    body = rows[1:] if header else rows
    names = _names(classifier.names or (rows[0] if header else ()), len(rows[0]))
    kinds = [_csv_type(row[index] for row in body if index < len(row)) for index in range(len(names))]
    parameters = {"delimiter": delimiter, "columnsOrdered": "true", "areColumnsQuoted": "false"}
    if header:
        parameters["skip.header.line.count"] = "1"
    serde = {"field.delim": delimiter}
    if classifier.serde == OPEN_CSV:
        serde = {"separatorChar": delimiter, "quoteChar": classifier.quote}
    columns = dict(zip(names, kinds, strict=True))
    return FileSchema("csv", columns, classifier.serde, serde, parameters, rows=len(lines) - header)


def _csv_rows(lines: list[str], delimiter: str, quote: str) -> list[list[str]]:
    # A field may be as long as the sample; csv's own limit is 128 KiB.
    csv.field_size_limit(max(csv.field_size_limit(), 8 * SAMPLE_BYTES))
    return [row for line in lines for row in csv.reader([line], delimiter=delimiter, quotechar=quote)]


def _find_delimiter(line: str) -> str:
    """Glue's built-in classifier knows comma, pipe, tab, semicolon and Ctrl-A."""
    return max((",", "|", "\t", ";", "\x01"), key=line.count)


def _has_header(rows: list[list[str]], classifier: CsvClassifier) -> bool | None:
    """Whether the first row is a header; None if this is no CSV at all.

    Glue's rules for its built-in classifier: every field of a header is text, none is blank (but the last), and another
    row has something that is not text.
    """
    if classifier.header == "PRESENT":
        return True
    if classifier.header == "ABSENT":
        return False
    if len(rows) < 2 or any(abs(len(row) - len(rows[0])) > 1 for row in rows[:20]):
        return None
    first, rest = rows[0], rows[1:]
    named = all(_csv_type([text]) == "string" for text in first)
    typed = any(_csv_type([text]) not in ("", "string") for row in rest for text in row)
    return named and typed


def _names(given: Iterable[str], width: int) -> list[str]:
    """Column names as the catalog keeps them: lower case, unique, `col0` and on where there is none."""
    names = [text.strip().lower() for text in given][:width]
    names += [""] * (width - len(names))
    unique: list[str] = []
    for index, name in enumerate(names):
        name = name or f"col{index}"
        unique.append(f"{name}_{index}" if name in unique else name)
    return unique


def _csv_type(texts: Iterable[str]) -> str:
    """bigint, double or string, which is what the CSV classifier tells apart; "" if all fields are blank."""
    kind = ""
    for text in texts:
        if text.strip():
            kind = merge_types(kind, _text_type(text.strip())) if kind else _text_type(text.strip())
            if kind == "string":
                break
    return kind


def _text_type(text: str) -> str:
    if re.fullmatch(r"[+-]?[0-9]{1,18}", text):
        return "bigint"
    return "double" if re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", text) else "string"


def _json(lines: list[str], text: str) -> FileSchema | None:
    records = _json_records(lines, text)
    if not records:
        return None
    columns = reduce(merge_columns, ({name.lower(): _json_type(v) for name, v in record.items()} for record in records))
    names = {name for record in records for name in record}  # as they are in the files; columns are lower case
    serde = {"paths": ",".join(sorted(names))}
    return FileSchema("json", columns, "org.openx.data.jsonserde.JsonSerDe", serde, rows=len(lines))


def _json_records(lines: list[str], text: str) -> list[dict[str, Any]] | None:
    """The objects of JSON lines or of one array; None if the first line is neither."""
    if not lines or lines[0].lstrip()[:1] not in ("{", "["):
        return None
    try:
        records = json.loads(text)
        records = records if isinstance(records, list) else [records]
    except ValueError:
        records = [record for line in lines[:SAMPLE_ROWS] if (record := _json_line(line)) is not None]
    return [record for record in records[:SAMPLE_ROWS] if isinstance(record, dict)] or None


def _json_line(line: str) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        return None


def _json_type(value: Any) -> str:
    """A value's Glue type; "" for null, which has any."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "int" if -(2**31) <= value < 2**31 else "bigint"
    if isinstance(value, float):
        return "double"
    if isinstance(value, dict):
        return "struct<" + ",".join(f"{name.lower()}:{_json_type(v) or 'string'}" for name, v in value.items()) + ">"
    if isinstance(value, list):
        return f"array<{reduce(merge_types, map(_json_type, value), '') or 'string'}>"
    return "string"


def _parquet(size: int, read: Callable[[int, int], bytes]) -> FileSchema:
    try:
        file = pq.ParquetFile(io.BufferedReader(_Ranges(size, read), buffer_size=1 << 16))
    except pa.ArrowException:
        return FileSchema(UNKNOWN)
    columns = {column.name.lower(): _arrow_type(column.type) for column in file.schema_arrow}
    serde = HIVE + "ql.io.parquet.serde.ParquetHiveSerDe"
    return FileSchema("parquet", columns, serde, {"serialization.format": "1"}, rows=file.metadata.num_rows)


class _Ranges(io.RawIOBase):
    """A file that is read by ranges, so that of a Parquet file only the footer is."""

    def __init__(self, size: int, read: Callable[[int, int], bytes]) -> None:
        self._size = size
        self._read = read
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        return self._at

    def readinto(self, buffer: Any) -> int:
        length = min(len(buffer), self._size - self._at)
        if length <= 0:
            return 0
        data = self._read(self._at, length)
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


ARROW_TYPES = (
    (pa.types.is_boolean, "boolean"),
    (pa.types.is_int8, "tinyint"),
    (pa.types.is_int16, "smallint"),
    (pa.types.is_int32, "int"),
    (pa.types.is_integer, "bigint"),
    (pa.types.is_float32, "float"),
    (pa.types.is_floating, "double"),
    (pa.types.is_date, "date"),
    (pa.types.is_timestamp, "timestamp"),
    (pa.types.is_binary, "binary"),
    (pa.types.is_large_binary, "binary"),
)


def _arrow_type(kind: pa.DataType) -> str:
    """The Glue type of a Parquet column as Arrow reads it."""
    if pa.types.is_decimal(kind):
        return f"decimal({kind.precision},{kind.scale})"
    if pa.types.is_map(kind):
        return f"map<{_arrow_type(kind.key_type)},{_arrow_type(kind.item_type)}>"
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return f"array<{_arrow_type(kind.value_type)}>"
    if pa.types.is_struct(kind):
        return "struct<" + ",".join(f"{part.name.lower()}:{_arrow_type(part.type)}" for part in kind) + ">"
    return next((name for matches, name in ARROW_TYPES if matches(kind)), "string")
