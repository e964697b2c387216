"""COPY and UNLOAD of the local warehouse: rows between tables and objects in S3.

Options, checks and messages follow the Redshift Database Developer Guide:
https://docs.aws.amazon.com/redshift/latest/dg/r_COPY.html
https://docs.aws.amazon.com/redshift/latest/dg/copy-usage_notes-copy-from-columnar.html
https://docs.aws.amazon.com/redshift/latest/dg/r_UNLOAD.html
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from sqlglot.tokenizer_core import Token, TokenType

from local.redshift_engine import Result, Session, execute, query
from local.redshift_sql import SqlError, Statement, byte_limit, duckdb_type, has_limit, parse
from local.redshift_super import SUPER

ROLE = re.compile(r"arn:aws[\w-]*:iam::\d{12}:role/[\w+=,.@/-]+")
KEYS = re.compile(r"aws_access_key_id=[^;]+;aws_secret_access_key=[^;]+(;token=[^;]+)?")
ROWS_AT_ONCE = 20_000


@dataclass
class Transfer:
    """A COPY or UNLOAD as written. `options` holds what follows the authorization, by lower case name."""

    table: str = ""
    columns: list[str] = field(default_factory=list)
    select: str = ""
    path: str = ""
    roles: list[str] = field(default_factory=list)
    format: str = "text"
    options: dict[str, str] = field(default_factory=dict)

    @property
    def bucket(self) -> str:
        """The bucket of `path`."""
        return self.path.removeprefix("s3://").partition("/")[0]

    @property
    def prefix(self) -> str:
        """What the keys of `path` begin with."""
        return self.path.removeprefix("s3://").partition("/")[2]


class S3Transfers:
    """Runs COPY and UNLOAD. `client` is a boto3 S3 client, `roles` are those associated with the namespace."""

    def __init__(self, client: Any, roles: list[str]) -> None:
        self._s3 = client
        self._roles = roles

    def run(self, session: Session, statement: Statement) -> Result:
        """Run a COPY or UNLOAD in the session's transaction. Objects that an UNLOAD wrote stay when that fails."""
        if statement.kind == "copy":
            return self._copy(session, read_copy(statement.tokens))
        return self._unload(session, read_unload(statement.tokens))

    def _authorize(self, transfer: Transfer) -> None:
        for role in transfer.roles:
            if role not in self._roles:
                raise SqlError(f"The requested role {role} is not associated to cluster")

    # COPY -------------------------------------------------------------------------------------------------------------

    def _copy(self, session: Session, copy: Transfer) -> Result:
        self._authorize(copy)
        table = session.columns(copy.table)
        if not table:
            raise SqlError(f'relation "{copy.table}" does not exist')
        by_name = {column["name"]: column for column in table}
        if unknown := [name for name in copy.columns if name not in by_name]:
            raise SqlError(f'column "{unknown[0]}" of relation "{copy.table}" does not exist')
        target = [by_name[name] for name in copy.columns] if copy.columns else table
        loaded = 0
        for bucket, key in self._listed(copy) if "manifest" in copy.options else self._keys(copy):
            load = _Load(session, copy, target, f"s3://{bucket}/{key}")
            with self._open(copy, bucket, key) as file:
                loaded += _LOADERS[copy.format](load, file)
        return Result(changed=loaded)

    def _listed(self, copy: Transfer) -> list[tuple[str, str]]:
        """The objects that a manifest names; one that is mandatory and not there fails the load.

        https://docs.aws.amazon.com/redshift/latest/dg/loading-data-files-using-manifest.html
        """
        missing = self._s3.exceptions.ClientError
        try:
            manifest = json.loads(self._s3.get_object(Bucket=copy.bucket, Key=copy.prefix)["Body"].read())
            entries = [(entry["url"], bool(entry.get("mandatory"))) for entry in manifest["entries"]]
        except missing as error:
            raise SqlError(f"Problem reading manifest file - S3ServiceException:{error}") from error
        except (ValueError, KeyError, TypeError) as error:
            raise SqlError(f"Manifest file is not in correct json format: {copy.path}") from error
        found = []
        for url, mandatory in entries:
            bucket, _, key = url.removeprefix("s3://").partition("/")
            try:
                self._s3.head_object(Bucket=bucket, Key=key)
            except missing as error:
                if mandatory:
                    raise SqlError(f"The S3 object {url} that the manifest demands does not exist") from error
                continue
            found.append((bucket, key))
        if not found:
            raise SqlError(f"No files of the manifest '{copy.path}' exist")
        return found

    def _keys(self, copy: Transfer) -> list[tuple[str, str]]:
        keys = [item["Key"] for item in self._list(copy) if not item["Key"].endswith("/")]
        if copy.format == "parquet":
            # Columnar files are read by Redshift Spectrum, which passes over hidden ones.
            keys = [key for key in keys if key.rpartition("/")[2][0] not in "._#" and not key.endswith("~")]
        if not keys:
            raise SqlError(f"The specified S3 prefix '{copy.prefix}' does not exist")
        return [(copy.bucket, key) for key in keys]

    def _list(self, transfer: Transfer) -> list[dict]:
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=transfer.bucket, Prefix=transfer.prefix)
        try:
            return [item for page in pages for item in page.get("Contents", [])]
        except self._s3.exceptions.NoSuchBucket as error:
            raise SqlError(f"S3ServiceException:The specified bucket does not exist,{transfer.bucket}") from error

    @contextmanager
    def _open(self, copy: Transfer, bucket: str, key: str) -> Iterator[Any]:
        with tempfile.TemporaryFile() as file:
            self._s3.download_fileobj(bucket, key, file)
            file.seek(0)
            yield gzip.GzipFile(fileobj=file) if "gzip" in copy.options else file

    # UNLOAD -----------------------------------------------------------------------------------------------------------

    def _unload(self, session: Session, unload: Transfer) -> Result:
        self._authorize(unload)
        if has_limit(unload.select):
            raise SqlError("Limit clause is not supported")
        existing = [item["Key"] for item in self._list(unload)]
        if "cleanpath" in unload.options:
            for key in existing:
                self._s3.delete_object(Bucket=unload.bucket, Key=key)
        elif existing and "allowoverwrite" not in unload.options:
            raise SqlError(
                "Specified unload destination on S3 is not empty. Consider using a different bucket / prefix, manually "
                "removing the target files in S3, or using the ALLOWOVERWRITE option."
            )
        body, rows = _WRITERS[unload.format](session, unload)
        if "gzip" in unload.options:
            body = gzip.compress(body, mtime=0)
        self._s3.put_object(Bucket=unload.bucket, Key=unload.prefix + _file_name(unload), Body=body)
        return Result(changed=rows)


def _file_name(unload: Transfer) -> str:
    """What follows the name prefix: the number of the slice and of the part, or of the part alone."""
    serial = unload.options.get("parallel", "on") in ("off", "false")
    name = "000" if serial else "0000_part_00"
    if "extension" in unload.options:
        return f"{name}.{unload.options['extension']}"
    return name + (".parquet" if unload.format == "parquet" else ".gz" if "gzip" in unload.options else "")


# Reading the statements -----------------------------------------------------------------------------------------------

# The options that are understood, with the kind of value that follows: none, a text, a number or a word.
COPY_OPTIONS = {
    "manifest": "",
    "gzip": "",
    "delimiter": "text",
    "quote": "text",
    "null": "text",
    "ignoreheader": "number",
    "truncatecolumns": "",
    "emptyasnull": "",
    "blanksasnull": "",
    "statupdate": "word",
    "compupdate": "word",
    "region": "text",
    "timeformat": "text",
    "dateformat": "text",
}
UNLOAD_OPTIONS = {
    "header": "",
    "delimiter": "text",
    "gzip": "",
    "allowoverwrite": "",
    "cleanpath": "",
    "parallel": "word",
    "extension": "text",
    "region": "text",
}
# Which of them go with which format.
COPY_OPTIONS_OF = {
    "parquet": {"statupdate", "manifest"},
    "json": {
        "manifest",
        "gzip",
        "truncatecolumns",
        "emptyasnull",
        "blanksasnull",
        "statupdate",
        "compupdate",
        "region",
        "timeformat",
        "dateformat",
    },
    "csv": set(COPY_OPTIONS),
}
UNLOAD_OPTIONS_OF = {
    "parquet": {"allowoverwrite", "cleanpath", "parallel", "extension", "region"},
    "json": {"allowoverwrite", "cleanpath", "parallel", "extension", "region", "gzip"},
    "csv": set(UNLOAD_OPTIONS),
}


class _Words:
    """The words of a statement, read from left to right."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._at = 0

    def more(self) -> bool:
        return self._at < len(self._tokens)

    def peek(self) -> str:
        return self._tokens[self._at].text.lower() if self.more() else ""

    def is_text(self) -> bool:
        return self.more() and self._tokens[self._at].token_type == TokenType.STRING

    def next(self) -> str:
        if not self.more():
            raise SqlError("syntax error at end of input")
        self._at += 1
        return self._tokens[self._at - 1].text

    def take(self, *words: str) -> bool:
        """Go past these words when they come next."""
        ahead = [token.text.lower() for token in self._tokens[self._at : self._at + len(words)]]
        if ahead == list(words):
            self._at += len(words)
            return True
        return False

    def expect(self, *words: str) -> None:
        if not self.take(*words):
            raise self.error()

    def text(self) -> str:
        if not self.is_text():
            raise self.error()
        return self.next()

    def error(self) -> SqlError:
        return SqlError(f'syntax error at or near "{self.peek()}"' if self.more() else "syntax error at end of input")


def read_copy(tokens: list[Token]) -> Transfer:
    """Read a COPY statement. What is not understood is an error, never passed over."""
    words = _Words(tokens)
    words.expect("copy")
    copy = Transfer(table=words.next().lower())
    while words.take("."):
        copy.table += "." + words.next().lower()
    if words.take("("):
        copy.columns.append(words.next().lower())
        while words.take(","):
            copy.columns.append(words.next().lower())
        words.expect(")")
    words.expect("from")
    copy.path = _s3_path(words)
    _read_role(words, copy)
    while words.more():
        if not _read_format(words, copy):
            _read_option(words, copy, COPY_OPTIONS)
    if copy.format not in COPY_OPTIONS_OF:
        raise SqlError("the local warehouse copies CSV, JSON and PARQUET alone; name one with FORMAT AS")
    _check_options(copy, COPY_OPTIONS_OF[copy.format], "COPY")
    return copy


def read_unload(tokens: list[Token]) -> Transfer:
    """Read what follows the word UNLOAD, with the same strictness."""
    words = _Words(tokens)
    words.expect("(")
    unload = Transfer(select=words.text())
    words.expect(")")
    words.expect("to")
    unload.path = _s3_path(words)
    _read_role(words, unload)
    while words.more():
        if not _read_format(words, unload):
            _read_option(words, unload, UNLOAD_OPTIONS)
    if unload.format not in UNLOAD_OPTIONS_OF:
        raise SqlError("the local warehouse unloads CSV, JSON and PARQUET alone; name one with FORMAT AS")
    _check_options(unload, UNLOAD_OPTIONS_OF[unload.format], "UNLOAD")
    return unload


def _s3_path(words: _Words) -> str:
    path = words.text()
    if not re.fullmatch(r"s3://[a-z0-9][a-z0-9.-]+/.*", path):
        raise SqlError(f"Invalid S3 path: {path}")
    return path


def _read_role(words: _Words, transfer: Transfer) -> None:
    """Who reads or writes the objects: roles, or an access key, which the local cloud does not check.

    https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-authorization.html
    """
    given = ""
    if words.take("credentials"):
        words.take("as")
        given = words.text()
        if KEYS.fullmatch(given):
            return
    elif not words.take("iam_role"):
        raise SqlError("the credentials are missing: the local warehouse takes IAM_ROLE 'arn:aws:iam::…:role/…'")
    transfer.roles = (given.removeprefix("aws_iam_role=") or words.text()).split(",")
    for role in transfer.roles:
        if not ROLE.fullmatch(role):
            raise SqlError(f"Invalid IAM role: {role}")


def _read_format(words: _Words, transfer: Transfer) -> bool:
    named = words.take("format")
    if named:
        words.take("as")
    if words.peek() not in ("csv", "json", "parquet"):
        if named:
            raise words.error()
        return False
    transfer.format = words.next().lower()
    if transfer.format == "json":
        words.take("as")
        if words.is_text():
            transfer.options["mapping"] = words.text()
    return True


def _read_option(words: _Words, transfer: Transfer, known: dict[str, str]) -> None:
    name = words.peek()
    if name not in known or words.is_text():
        raise words.error()
    words.next()
    words.take("as")
    if known[name] == "text":
        transfer.options[name] = words.text()
    else:
        transfer.options[name] = words.next().lower() if known[name] else ""
    if known[name] == "number" and not transfer.options[name].isdigit():
        raise SqlError(f"{name.upper()} takes a number")


def _check_options(transfer: Transfer, allowed: set[str], command: str) -> None:
    for name in transfer.options:
        if name not in allowed | {"mapping"}:
            raise SqlError(f"{name.upper()} argument is not supported for {transfer.format.upper()} based {command}")
    if transfer.options.get("mapping", "auto") not in ("auto", "noshred"):
        raise SqlError("the local warehouse maps JSON with 'auto' and 'noshred' alone")
    for name in ("timeformat", "dateformat"):
        if transfer.options.get(name, "auto") != "auto":
            raise SqlError(f"the local warehouse reads {name.upper()} 'auto' alone")


# Loading --------------------------------------------------------------------------------------------------------------


@dataclass
class _Load:
    """Where the rows of a file go."""

    session: Session
    copy: Transfer
    columns: list[dict[str, Any]]
    file: str

    def insert(self, schema: pa.Schema, batches: Iterator[pa.RecordBatch], expressions: list[str]) -> int:
        """Insert what the expressions make of the rows; give how many there were."""
        table = ".".join(f'"{part}"' for part in self.copy.table.split("."))
        names = ", ".join(f'"{column["name"]}"' for column in self.columns)
        insert = f"insert into {table} ({names}) select {', '.join(expressions)} from copied_rows"
        failures: list[SqlError] = []

        def rows() -> Iterator[pa.RecordBatch]:
            try:
                yield from batches
            except SqlError as error:
                # DuckDB would wrap it in an error of its own.
                failures.append(error)
                raise

        self.session.cursor.register("copied_rows", pa.RecordBatchReader.from_batches(schema, rows()))
        try:
            changed = execute(self.session.cursor, insert)
        except duckdb.Error as error:
            if failures:
                raise failures[0] from error
            raise
        self.session.cursor.unregister("copied_rows")
        return changed[0][0]

    def error(self, message: str) -> SqlError:
        """A row or file that does not fit the table. Redshift keeps the detail in a system table."""
        return SqlError(
            f"Load into table '{self.copy.table.rpartition('.')[2]}' failed. "
            f"Check 'sys_load_error_detail' system table for details: {message}, file {self.file}"
        )


def _load_parquet(load: _Load, file: Any) -> int:
    """By position: the n-th column of the file is the n-th of the list, whatever their names."""
    try:
        parquet = pq.ParquetFile(file)
    except pa.ArrowInvalid as error:
        raise SqlError(f"Spectrum Scan Error. File '{load.file}' has an invalid version number: not Parquet") from error
    schema = parquet.schema_arrow
    if len(schema) != len(load.columns):
        raise SqlError(
            "Unmatched number of columns between table and file. "
            f"Table columns: {len(load.columns)}, Data columns: {len(schema)}, File name: {load.file}"
        )
    for column, found in zip(load.columns, schema, strict=True):
        if not _fits(column["type"], found.type):
            raise SqlError(
                f"Spectrum Scan Error. File '{load.file}' has an incompatible Parquet schema for column "
                f"'{load.copy.table}.{column['name']}'. Column type: {column['type'].upper()}, "
                f"Parquet schema: {found.name} {found.type}"
            )
    positions = [f"c{position}" for position in range(len(schema))]

    def batches() -> Iterator[pa.RecordBatch]:
        for batch in parquet.iter_batches(batch_size=ROWS_AT_ONCE * 5):
            yield _checked(load, batch.rename_columns(positions))

    target = pa.schema([pa.field(name, _plain(found.type)) for name, found in zip(positions, schema, strict=True)])
    return load.insert(target, batches(), positions)


def _fits(redshift_type: str, found: pa.DataType) -> bool:
    """Whether COPY takes a Parquet column of this type: exactly the column's own, there is no conversion."""
    if byte_limit(redshift_type):
        return pa.types.is_string(found) or pa.types.is_large_string(found)
    if match := re.fullmatch(r"decimal\((\d+),(\d+)\)", redshift_type):
        return pa.types.is_decimal(found) and found.scale == int(match[2]) and found.precision <= int(match[1])
    return {
        "smallint": pa.types.is_int16,
        "integer": pa.types.is_int32,
        "bigint": pa.types.is_int64,
        "real": pa.types.is_float32,
        "double precision": pa.types.is_float64,
        "double": pa.types.is_float64,
        "boolean": pa.types.is_boolean,
        "date": pa.types.is_date32,
        "timestamp": pa.types.is_timestamp,
        "timestamptz": pa.types.is_timestamp,
    }.get(redshift_type, lambda _: False)(found)


def _plain(found: pa.DataType) -> pa.DataType:
    """Times as microseconds in UTC without a zone."""
    return pa.timestamp("us") if pa.types.is_timestamp(found) else found


def _checked(load: _Load, batch: pa.RecordBatch) -> pa.RecordBatch:
    arrays = []
    for column, array in zip(load.columns, batch.columns, strict=True):
        if limit := byte_limit(column["type"]):
            longest = pc.call_function("max", [pc.call_function("binary_length", [array])]).as_py() or 0
            if longest > limit:
                raise SqlError(
                    f"Spectrum Scan Error. The length of the data column {column['name']} is longer than the length "
                    f"defined in the table. Table: {limit}, Data: {longest}, File name: {load.file}"
                )
        elif pa.types.is_timestamp(array.type):
            array = array.cast(pa.timestamp("us", array.type.tz), safe=False).cast(pa.timestamp("us"))
        arrays.append(array)
    schema = pa.schema([pa.field(field.name, _plain(field.type)) for field in batch.schema])
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _load_json(load: _Load, file: Any) -> int:
    """By name: keys that no column has are passed over, columns that no key has stay NULL. 'noshred' keeps it whole."""
    if load.copy.options.get("mapping") == "noshred":
        return _load_documents(load, file)

    def rows() -> Iterator[list[str | None]]:
        for number, value in enumerate(_json_values(load, file), start=1):
            if not isinstance(value, dict):
                raise load.error(f"row {number}: Invalid JSON object")
            yield [_json_text(value.get(column["name"]), column["type"]) for column in load.columns]

    return _load_texts(load, rows())


# https://docs.aws.amazon.com/redshift/latest/dg/copy_json.html
MAX_DOCUMENT = 4 << 20


def _load_documents(load: _Load, file: Any) -> int:
    """Each JSON document into the table's one column, of type SUPER."""
    if [column["type"] for column in load.columns] != [SUPER]:
        raise SqlError("COPY with the 'noshred' option takes a table with a single column of type SUPER")

    def rows() -> Iterator[list[str | None]]:
        for number, value in enumerate(_json_values(load, file), start=1):
            text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
            if len(text) > MAX_DOCUMENT:
                raise load.error(f"row {number}: JSON document of more than {MAX_DOCUMENT} bytes")
            yield [text]

    return _load_texts(load, rows())


def _json_values(load: _Load, file: Any) -> Iterator[Any]:
    """The JSON values of a file, one after the other with any space between."""
    decoder = json.JSONDecoder()
    pending = ""
    for number, raw in enumerate(file, start=1):
        try:
            pending = (pending + raw.decode("utf-8")).lstrip()
        except UnicodeDecodeError as error:
            raise load.error(f"line {number}: Invalid UTF-8") from error
        while pending:
            try:
                value, end = decoder.raw_decode(pending)
            except json.JSONDecodeError:
                break
            yield value
            pending = pending[end:].lstrip()
    if pending:
        raise load.error(f"Invalid JSON: {pending[:60]!r}")


def _json_text(value: Any, kind: str) -> str | None:
    if value is None or (isinstance(value, str) and kind != SUPER):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _load_csv(load: _Load, file: Any) -> int:
    """By position, each row with as many fields as the list has columns."""
    options = load.copy.options
    reader = csv.reader(
        io.TextIOWrapper(file, "utf-8", newline=""),
        delimiter=options.get("delimiter", ","),
        quotechar=options.get("quote", '"'),
        strict=True,
    )
    null = options.get("null", "\\N")
    csv.field_size_limit(4 << 20)

    def rows() -> Iterator[list[str | None]]:
        try:
            for number, fields in enumerate(reader, start=1):
                if number <= int(options.get("ignoreheader", 0)) or not fields:
                    continue
                if len(fields) != len(load.columns):
                    problem = "Extra column(s) found" if len(fields) > len(load.columns) else "Delimiter not found"
                    raise load.error(f"line {number}: {problem}")
                yield [None if value == null else value for value in fields]
        except UnicodeDecodeError as error:
            raise load.error(f"Invalid UTF-8: {error}") from error
        except csv.Error as error:
            raise load.error(f"line {reader.line_num}: {error}") from error

    return _load_texts(load, rows())


def _load_texts(load: _Load, rows: Iterator[list[str | None]]) -> int:
    """Convert texts to the columns' types, strictly: a text that is no number of the type fails the load."""
    schema = pa.schema([pa.field(f"c{position}", pa.string()) for position in range(len(load.columns))])

    def batches() -> Iterator[pa.RecordBatch]:
        pending: list[list[str | None]] = []
        for row in rows:
            pending.append([_text(load, column, value) for column, value in zip(load.columns, row, strict=True)])
            if len(pending) == ROWS_AT_ONCE:
                yield _texts(pending, schema)
                pending = []
        if pending:
            yield _texts(pending, schema)

    expressions = [_conversion(f"c{position}", column) for position, column in enumerate(load.columns)]
    return load.insert(schema, batches(), expressions)


def _texts(rows: list[list[str | None]], schema: pa.Schema) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays(
        [pa.array(values, pa.string()) for values in zip(*rows, strict=True)], schema=schema
    )


def _text(load: _Load, column: dict[str, Any], value: str | None) -> str | None:
    limit = byte_limit(column["type"])
    if value is None:
        return None
    if limit is None:
        # An empty field is no number, no date and no truth.
        return value.strip() or None
    if (value == "" and "emptyasnull" in load.copy.options) or (
        not value.strip() and "blanksasnull" in load.copy.options
    ):
        return None
    if len(value) * 4 <= limit or len(encoded := value.encode()) <= limit:
        return value
    if "truncatecolumns" in load.copy.options:
        return encoded[:limit].decode(errors="ignore")
    raise load.error(f"column {column['name']}: String length exceeds DDL length, {len(encoded)} bytes of {limit}")


# What a text must look like to become a type; DuckDB alone would round '1.5' to 2.
FORMS = {
    "smallint": r"[-+]?[0-9]+",
    "integer": r"[-+]?[0-9]+",
    "bigint": r"[-+]?[0-9]+",
    "decimal": r"[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)",
    "date": r"[0-9]{4}-[0-9]{2}-[0-9]{2}",
    "timestamp": r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?)?",
    "boolean": r"(?i)t|f|true|false|y|n|yes|no|1|0",
}


def _conversion(position: str, column: dict[str, Any]) -> str:
    kind = column["type"]
    if byte_limit(kind):
        return position
    form = FORMS.get(kind.partition("(")[0])
    if form is None:
        return f"cast({position} as {duckdb_type(kind)})"
    message = f"'column {column['name']}: invalid value ''' || {position} || ''' for type {kind}'"
    return (
        f"case when {position} is null then null when regexp_full_match({position}, '{form}') "
        f"then cast({position} as {kind}) else error({message}) end"
    )


_LOADERS: dict[str, Callable[[_Load, Any], int]] = {"parquet": _load_parquet, "json": _load_json, "csv": _load_csv}


# Unloading ------------------------------------------------------------------------------------------------------------


def _write_json(session: Session, unload: Transfer) -> tuple[bytes, int]:
    result = query(session, unload.select)
    names = [column.name for column in result.columns]
    lines = [
        json.dumps(dict(zip(names, map(_json_value, row), strict=True)), ensure_ascii=False) + "\n"
        for row in result.rows
    ]
    return "".join(lines).encode(), len(lines)


def _json_value(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() and value.as_tuple().exponent == 0 else float(value)
    return as_text(value) if isinstance(value, (date, datetime)) else value


def _write_csv(session: Session, unload: Transfer) -> tuple[bytes, int]:
    result = query(session, unload.select)
    text = io.StringIO()
    writer = csv.writer(text, delimiter=unload.options.get("delimiter", ","), lineterminator="\n")
    if "header" in unload.options:
        writer.writerow([column.name for column in result.columns])
    for row in result.rows:
        writer.writerow(["" if value is None else as_text(value) for value in row])
    return text.getvalue().encode(), len(result.rows)


def _write_parquet(session: Session, unload: Transfer) -> tuple[bytes, int]:
    statement = parse(unload.select)
    described = execute(session.cursor, f"describe {statement.duckdb[0]}")
    wide = [f'cast("{name}" as bigint) as "{name}"' for name, kind, *_ in described if kind == "HUGEINT"]
    star = f"* replace ({', '.join(wide)})" if wide else "*"
    session.cursor.execute(f"select {star} from ({statement.duckdb[0]})")
    table: pa.Table = session.cursor.to_arrow_table()
    file = io.BytesIO()
    pq.write_table(table, file)
    return file.getvalue(), table.num_rows


def as_text(value: Any) -> str:
    """A value as Redshift writes it: t and f, times with a space and only the decimals they need."""
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, datetime):
        return value.isoformat(" ").removesuffix("+00:00") + ("+00" if value.tzinfo else "")
    if isinstance(value, float):
        return repr(value).removesuffix(".0")
    return str(value)


_WRITERS: dict[str, Callable[[Session, Transfer], tuple[bytes, int]]] = {
    "json": _write_json,
    "csv": _write_csv,
    "parquet": _write_parquet,
}
