"""The databases of the local warehouse: Redshift SQL run on DuckDB files, one file a database."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from local.redshift_sql import MACROS, SqlError, Statement, body_statements, byte_limit, duckdb_type, parse

# Nothing of this machine is in reach of a query: no files, no Python variables, no downloaded extensions.
SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "enable_external_access": "false",
    "python_enable_replacements": "false",
    # Redshift divides whole numbers without a remainder.
    "integer_division": "true",
}


# What every user may look at, and sees there what concerns him.
PUBLIC_SCHEMAS = {"information_schema", "pg_catalog"}

# What Redshift's catalog has and DuckDB's lacks: procedures, roles and what is granted to them.
CATALOG = (
    "create table if not exists main.procedures (name varchar primary key, body varchar)",
    "create table if not exists main.svv_roles (role_name varchar primary key)",
    "create table if not exists main.grants (role varchar, privilege varchar, scope varchar, schema_name varchar,"
    " primary key (role, privilege, scope, schema_name))",
)


@dataclass
class Column:
    """A column of a result: its name and its type as the Data API names it."""

    name: str
    type: str
    precision: int = 0
    scale: int = 0


@dataclass
class Result:
    """What a statement gave: its rows, or how many it changed (-1 where Redshift says nothing)."""

    columns: list[Column] = field(default_factory=list)
    rows: list[tuple] = field(default_factory=list)
    changed: int = -1

    @property
    def is_query(self) -> bool:
        """Whether there are rows to fetch, be they none."""
        return bool(self.columns)


class Database:
    """One database. Reads run side by side; writers take turns, as their transactions would conflict otherwise."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = duckdb.connect(str(path), config=SETTINGS)
        execute(self._connection, "set global TimeZone = 'UTC'")
        execute(self._connection, "create schema if not exists public")
        for sql in CATALOG:
            execute(self._connection, sql)
        self._writing = threading.Lock()

    def close(self) -> None:
        """Write everything to the file and let go of it."""
        self._connection.close()

    @contextmanager
    def transaction(self, writes: bool) -> Iterator[Session]:
        """A session whose statements all count or none; an exception undoes them."""
        if writes:
            with self._writing:
                yield from self._begin()
        else:
            yield from self._begin()

    def _begin(self) -> Iterator[Session]:
        cursor = self._connection.cursor()
        try:
            for macro in MACROS:
                execute(cursor, macro)
            execute(cursor, "set search_path = 'public'")
            execute(cursor, "begin transaction")
            try:
                yield Session(cursor)
                execute(cursor, "commit")
            except BaseException:
                _rollback(cursor)
                raise
        finally:
            cursor.close()


class Session:
    """Statements in one transaction."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection) -> None:
        self.cursor = cursor

    def interrupt(self) -> None:
        """Stop the statement that runs; it fails."""
        self.cursor.interrupt()

    def run(self, statement: Statement) -> Result:
        """Run a translated statement."""
        try:
            return self._run(statement)
        except duckdb.InterruptException:
            raise
        except duckdb.Error as error:
            raise SqlError(redshift_message(str(error))) from error

    def _run(self, statement: Statement) -> Result:
        if statement.kind == "query":
            return fetch(self.cursor, statement.duckdb[0])
        if special := getattr(self, f"_{statement.kind.replace(' ', '_')}", None):
            return special(statement)
        result = Result()
        for sql in statement.duckdb:
            result = Result(changed=_changed(execute(self.cursor, sql)))
        return result

    def _create_table(self, statement: Statement) -> Result:
        if statement.if_not_exists and self.columns(statement.table):
            return Result()
        definitions = ", ".join(column.definition for column in statement.columns)
        execute(self.cursor, f"create table {statement.table} ({definitions})")
        for column in statement.columns:
            self._note_type(statement.table, column.name, column.redshift_type)
        return Result()

    def _create_table_as(self, statement: Statement) -> Result:
        query = statement.duckdb[0]
        described = execute(self.cursor, f"describe {query}")
        # DuckDB sums integers to 128 bits, Redshift to 64.
        wide = [name for name, kind, *_ in described if kind == "HUGEINT"]
        replaced = ", ".join(f'cast("{name}" as bigint) as "{name}"' for name in wide)
        star = f"* replace ({replaced})" if wide else "*"
        rows = execute(self.cursor, f"create table {statement.table} as select {star} from ({query})")
        return Result(changed=_changed(rows))

    def _add_column(self, statement: Statement) -> Result:
        """DuckDB adds no column with a check, so the table is built anew beside the old one."""
        new = statement.columns[0]
        existing = self.columns(statement.table)
        if not existing:
            raise SqlError(f"relation {statement.table} does not exist".replace('"', ""))
        if new.name in (column["name"] for column in existing):
            raise SqlError(f'column "{new.name}" of relation {statement.table} already exists'.replace('"', ""))
        definitions = [_definition(column) for column in existing]
        schema, _, table = statement.table.rpartition(".")
        beside = f'{schema}{"." if schema else ""}"{table.strip(chr(34))}__wider"'
        names = ", ".join(f'"{column["name"]}"' for column in existing)
        execute(self.cursor, f"create table {beside} ({', '.join([*definitions, new.definition])})")
        execute(self.cursor, f"insert into {beside} ({names}) select {names} from {statement.table}")
        execute(self.cursor, f"drop table {statement.table}")
        execute(self.cursor, f"alter table {beside} rename to {table}")
        for column in [*existing, {"name": new.name, "type": new.redshift_type}]:
            self._note_type(statement.table, column["name"], column["type"])
        return Result()

    def _create_procedure(self, statement: Statement) -> Result:
        self._require_schema(statement.name.partition(".")[0])
        insert = "insert or replace into main.procedures values (?, ?)"
        execute(self.cursor, insert, [statement.name, statement.body])
        return Result()

    def _call(self, statement: Statement) -> Result:
        """Run a procedure's statements in the caller's transaction, as Redshift does."""
        found = execute(self.cursor, "select body from main.procedures where name = ?", [statement.name])
        if not found:
            raise SqlError(f"procedure {statement.name}() does not exist")
        for part in body_statements(found[0][0]):
            self._run(part)
        return Result()

    def _create_role(self, statement: Statement) -> Result:
        if self._role_exists(statement.name):
            raise SqlError(f'role "{statement.name}" already exists')
        execute(self.cursor, "insert into main.svv_roles values (?)", [statement.name])
        return Result()

    def _drop_role(self, statement: Statement) -> Result:
        self._require_role(statement.name)
        if execute(self.cursor, "select 1 from main.grants where role = ? limit 1", [statement.name]):
            raise SqlError(f'cannot drop role "{statement.name}" because some objects depend on it')
        execute(self.cursor, "delete from main.svv_roles where role_name = ?", [statement.name])
        return Result()

    def _grant(self, statement: Statement) -> Result:
        for grant in statement.grants:
            self._require_role(grant.role)
            self._require_schema(grant.schema)
            row = [grant.role, grant.privilege, grant.scope, grant.schema]
            execute(self.cursor, "insert or ignore into main.grants values (?, ?, ?, ?)", row)
        return Result()

    def require_rights(self, statement: Statement, roles: list[str]) -> None:
        """Refuse what is granted to none of the roles: a query of other schemas, and any change."""
        if statement.kind != "query":
            raise SqlError(f"permission denied to roles {roles}: {statement.text.strip()[:80]}")
        granted = "select privilege from main.grants where schema_name = ? and list_contains(?, role)"
        for schema in sorted(statement.reads - PUBLIC_SCHEMAS):
            rights = {row[0] for row in execute(self.cursor, granted, [schema, roles])}
            if not {"usage", "select"} <= rights:
                raise SqlError(f"permission denied for schema {schema}")

    def _role_exists(self, role: str) -> bool:
        return bool(execute(self.cursor, "select 1 from main.svv_roles where role_name = ?", [role]))

    def _require_role(self, role: str) -> None:
        if not self._role_exists(role):
            raise SqlError(f'role "{role}" does not exist')

    def _require_schema(self, schema: str) -> None:
        if not execute(self.cursor, "select 1 from information_schema.schemata where schema_name = ?", [schema]):
            raise SqlError(f'schema "{schema}" does not exist')

    def columns(self, table: str) -> list[dict[str, Any]]:
        """The columns of a table or view in order: name, type as Redshift declares it, nullable, default."""
        schema, _, name = table.replace('"', "").rpartition(".")
        rows = execute(
            self.cursor,
            "select column_name, coalesce(comment, lower(data_type)), is_nullable, column_default from duckdb_columns()"
            " where schema_name = ? and table_name = ? order by column_index",
            [schema or "public", name],
        )
        return [{"name": row[0], "type": row[1], "nullable": row[2], "default": row[3]} for row in rows]

    def _note_type(self, table: str, column: str, redshift_type: str) -> None:
        """Keep the declared type, of which DuckDB forgets the length."""
        execute(self.cursor, f"""comment on column {table}."{column}" is '{redshift_type}'""")


def _definition(column: dict[str, Any]) -> str:
    limit = byte_limit(column["type"])
    text = f'"{column["name"]}" {duckdb_type(column["type"])}'
    text += "" if column["nullable"] else " not null"
    text += f" default {column['default']}" if column["default"] is not None else ""
    return text + (f' check (strlen("{column["name"]}") <= {limit})' if limit else "")


def execute(cursor: duckdb.DuckDBPyConnection, sql: str, parameters: list | None = None) -> list[tuple]:
    """Run a DuckDB statement to its end and return its rows. DuckDB 2 raises when a result is left unread."""
    cursor.execute(sql, parameters) if parameters else cursor.execute(sql)
    return cursor.fetchall() if cursor.description else []


def fetch(cursor: duckdb.DuckDBPyConnection, sql: str) -> Result:
    """Run a DuckDB query and return its rows with their Redshift types."""
    cursor.execute(sql)
    columns = [_column(name, str(kind)) for name, kind, *_ in cursor.description or []]
    rows = cursor.fetchall()
    return Result(columns, rows, len(rows))


TYPE_NAMES = {
    "BOOLEAN": "bool",
    "TINYINT": "int2",
    "SMALLINT": "int2",
    "INTEGER": "int4",
    "BIGINT": "int8",
    # A sum of whole numbers, which Redshift gives 64 bits.
    "HUGEINT": "int8",
    "FLOAT": "float4",
    "DOUBLE": "float8",
    "VARCHAR": "varchar",
    "DATE": "date",
    "TIMESTAMP": "timestamp",
    "TIMESTAMP WITH TIME ZONE": "timestamptz",
    "JSON": "super",
}


def _column(name: str, kind: str) -> Column:
    if match := re.fullmatch(r"DECIMAL\((\d+),(\d+)\)", kind):
        return Column(name, "numeric", int(match[1]), int(match[2]))
    return Column(name, TYPE_NAMES.get(kind, "varchar"))


def _changed(rows: list[tuple]) -> int:
    return rows[0][0] if rows and isinstance(rows[0][0], int) and not isinstance(rows[0][0], bool) else -1


def _rollback(cursor: duckdb.DuckDBPyConnection) -> None:
    try:
        execute(cursor, "rollback")
    except duckdb.Error:
        # The connection ended the transaction itself.
        return


# DuckDB's messages and how Redshift says the same.
MESSAGES = [
    (r"CHECK constraint failed.*strlen\(\"?(\w+)\"?\) <= (\d+)", r"value too long for type character varying(\2) (\1)"),
    (r"NOT NULL constraint failed: (?:\S+\.)?(\w+)", r"Cannot insert a NULL value into column \1"),
    (r"(?:Table|View) with name \"?([\w.]+)\"? does not exist", r'relation "\1" does not exist'),
    (r"Schema with name \"?(\w+)\"? does not exist", r'schema "\1" does not exist'),
    (r"(?:Table|View) with name \"?([\w.]+)\"? already exists", r'Relation "\1" already exists'),
    (r"Schema with name \"?(\w+)\"? already exists", r'Schema "\1" already exists'),
    (r"Referenced column \"(\w+)\" not found", r'column "\1" does not exist'),
    (
        r"column \"(\w+)\" must appear in the GROUP BY",
        r'column "\1" must appear in the GROUP BY clause or be used in an aggregate function',
    ),
    (r"Division by zero", r"Divide by zero occurred"),
    (r"MERGE INTO command cannot affect the same target row", r"Found multiple matches to update the same tuple."),
]


def redshift_message(text: str) -> str:
    """DuckDB's error in Redshift's words where they are known, else without DuckDB's own decoration."""
    for pattern, words in MESSAGES:
        if match := re.search(pattern, text):
            return match.expand(words)
    first = text.split("\n\nLINE ")[0].strip()
    return re.sub(r"^[A-Z]\w+(?: \w+)? Error: ", "", first)


def reads_only(statement: Statement) -> bool:
    """Whether a statement leaves the database as it is."""
    return statement.kind in ("query", "unload")


def query(session: Session, text: str) -> Result:
    """Run one Redshift query, as UNLOAD does with the text that it is given."""
    statement = parse(text)
    if statement.kind != "query":
        raise SqlError("UNLOAD takes a SELECT")
    return session.run(statement)
