"""The Redshift Data API: statements sent now, described and fetched later.

https://docs.aws.amazon.com/redshift-data/latest/APIReference/Welcome.html
https://docs.aws.amazon.com/redshift/latest/mgmt/data-api.html
"""

from __future__ import annotations

import base64
import json
import logging
import re
import threading
import time
import uuid
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from local.cloud import CALLER, ApiError, Cloud
from local.redshift_copy import S3Transfers, as_text
from local.redshift_engine import Database, Result, Session, reads_only, redshift_message
from local.redshift_sql import SqlError, Statement, parse, placeholders

if TYPE_CHECKING:
    from local.redshift import Serverless

log = logging.getLogger("local.redshift")

MAX_BATCH = 40
MAX_STATEMENT = 100_000
KEEP_SECONDS = 24 * 3600
PAGE_ROWS = 1000
PAGE_BYTES = 1 << 20
ENDED = ("FINISHED", "FAILED", "ABORTED")

# What callers may set beside the statements.
REQUEST = {"WorkgroupName", "Database", "SecretArn", "StatementName", "ClientToken", "WaitTimeSeconds", "WithEvent"}
# Members of a record that Describe shows of a statement.
DESCRIBED = (
    "Id",
    "SecretArn",
    "Database",
    "WorkgroupName",
    "Duration",
    "Error",
    "Status",
    "CreatedAt",
    "UpdatedAt",
    "RedshiftPid",
    "HasResultSet",
    "QueryString",
    "ResultRows",
    "ResultSize",
    "RedshiftQueryId",
    "QueryParameters",
    "ResultFormat",
)
KEPT = ("WorkgroupName", "Database", "SecretArn", "StatementName", "ClientToken")


class DataApi:
    """The operations of the Data API. Records of statements are kept for a day, as files."""

    def __init__(self, cloud: Cloud, serverless: Serverless) -> None:
        self._cloud = cloud
        self._serverless = serverless
        self._records = Records(cloud.state_dir / "warehouse-statements")
        self._sessions: dict[str, Session] = {}
        self._waiting: dict[str, threading.Event] = {}
        self._submitting = threading.Lock()

    def operations(self) -> dict[str, Callable[[dict], dict]]:
        """The operations of the API by name."""
        return {
            "ExecuteStatement": self.execute_statement,
            "BatchExecuteStatement": self.batch_execute_statement,
            "DescribeStatement": self.describe_statement,
            "GetStatementResult": self.get_statement_result,
            "ListStatements": self.list_statements,
            "CancelStatement": self.cancel_statement,
            "ListDatabases": self.list_databases,
            "ListSchemas": self.list_schemas,
            "ListTables": self.list_tables,
            "DescribeTable": self.describe_table,
        }

    # Running ----------------------------------------------------------------------------------------------------------

    def execute_statement(self, request: dict) -> dict:
        """Run one statement in a transaction of its own."""
        _only(request, REQUEST | {"Sql", "Parameters", "ResultFormat"})
        return self._submit(request, [_required(request, "Sql")], batch=False)

    def batch_execute_statement(self, request: dict) -> dict:
        """Run up to 40 statements in order in one transaction: all count or none."""
        _only(request, REQUEST | {"Sqls", "Parameters", "ResultFormat", "ExecutionMode"})
        if request.get("ExecutionMode", "TRANSACTION") != "TRANSACTION":
            raise ApiError("ValidationException", "the local warehouse runs batches as one TRANSACTION alone")
        statements = request.get("Sqls") or []
        if not 1 <= len(statements) <= MAX_BATCH:
            raise ApiError("ValidationException", f"Sqls holds {len(statements)} statements, want 1 to {MAX_BATCH}")
        return self._submit(request, statements, batch=True)

    def _submit(self, request: dict, texts: list[str], batch: bool) -> dict:
        for text in texts:
            if not text.strip() or len(text.encode()) > MAX_STATEMENT:
                raise ApiError("ValidationException", f"a statement has 1 to {MAX_STATEMENT} bytes")
        if request.get("ResultFormat", "JSON") != "JSON":
            raise ApiError("ValidationException", "the local warehouse answers in JSON alone")
        namespace = self._namespace(request)
        parameters = _parameters(request, texts)
        with self._submitting:
            record = self._records.by_token(request)
            if record is None:
                record = _record(request, texts, batch)
                self._records.write(record)
                self._waiting[record["Id"]] = threading.Event()
                self._cloud.background(lambda: self._run(record, namespace, texts, parameters))
        self._wait(record, request)
        shown = ("Id", "CreatedAt", "Database", "WorkgroupName", "SecretArn")
        answer = {key: record[key] for key in shown if key in record}
        return {**answer, "Status": record["Status"]} if "WaitTimeSeconds" in request else answer

    def _wait(self, record: dict, request: dict) -> None:
        """Hold the answer until the statement has ended, for as long as the request asks."""
        if waiting := self._waiting.get(record["Id"]):
            waiting.wait(min(int(request.get("WaitTimeSeconds", 0)), 30))

    def _run(self, record: dict, namespace: dict, texts: list[str], parameters: dict[str, str]) -> None:
        started = time.monotonic()
        record["Status"] = "STARTED"
        try:
            if record["Database"] not in self._serverless.databases(namespace):
                raise SqlError(f'FATAL: database "{record["Database"]}" does not exist')
            database = self._serverless.database(namespace, record["Database"])
            self._transaction(record, database, namespace, texts, parameters)
            record["Status"] = "FINISHED"
        except duckdb.InterruptException:
            _end(record, "ABORTED", "Query cancelled on user's request")
        except SqlError as error:
            _end(record, "FAILED", str(error))
        except Exception as error:
            log.exception("statement %s failed", record["Id"])
            _end(record, "FAILED", f"internal error of the local warehouse: {error!r}")
        finally:
            record["Duration"] = int((time.monotonic() - started) * 1e9)
            record["UpdatedAt"] = time.time()
            self._records.write(record)
            self._waiting.pop(record["Id"]).set()

    def _transaction(
        self, record: dict, database: Database, namespace: dict, texts: list[str], parameters: dict[str, str]
    ) -> None:
        batch = "SubStatements" in record
        statements = [_parse(record, number, text, parameters, batch) for number, text in enumerate(texts)]
        transfers = S3Transfers(self._cloud.client("s3"), namespace["iamRoles"])
        with database.transaction(writes=not all(map(reads_only, statements))) as session:
            self._sessions[record["Id"]] = session
            try:
                for number, statement in enumerate(statements):
                    _authorize(record, number, statement, session)
                    _run_one(record, number, statement, session, transfers)
            finally:
                del self._sessions[record["Id"]]
        for part in [record, *record.get("SubStatements", [])]:
            part["Status"] = "FINISHED"

    def _namespace(self, request: dict) -> dict:
        """The namespace that a request is for, after the checks of its workgroup and its secret."""
        name = _required(request, "WorkgroupName")
        _required(request, "Database")
        if name not in self._serverless.workgroups:
            raise ApiError("ValidationException", f"Redshift endpoint doesn't exist in this region: {name}")
        namespace = self._serverless.namespace(self._serverless.workgroups[name]["namespaceName"])
        if secret := request.get("SecretArn"):
            self._check_secret(secret, namespace)
        return namespace

    def _check_secret(self, secret: str, namespace: dict) -> None:
        client = self._cloud.client("secretsmanager")
        try:
            content = json.loads(client.get_secret_value(SecretId=secret)["SecretString"])
        except client.exceptions.ResourceNotFoundException as error:
            raise ApiError("ValidationException", f"Secrets Manager can't find the secret {secret}") from error
        if content.get("username") != namespace["adminUsername"] or "password" not in content:
            raise ApiError("ValidationException", f"the secret {secret} holds no credentials of this namespace")

    # Describing -------------------------------------------------------------------------------------------------------

    def describe_statement(self, request: dict) -> dict:
        """How a statement or batch stands, or one statement of a batch when its id is given."""
        record, part = self._find(_required(request, "Id"))
        self._wait(record, request)
        shown = {key: part[key] for key in DESCRIBED if key in part}
        if part is record and "SubStatements" in record:
            shown["SubStatements"] = [
                {key: sub[key] for key in DESCRIBED if key in sub} for sub in record["SubStatements"]
            ]
        return shown

    def get_statement_result(self, request: dict) -> dict:
        """A page of a statement's rows; for a batch the id is that of one of its statements."""
        record, part = self._find(_required(request, "Id"))
        if record["Status"] != "FINISHED" or "Columns" not in part:
            raise ApiError(
                "ResourceNotFoundException",
                "Query does not have result. Please check query status with DescribeStatement.",
            )
        start = _page_start(request.get("NextToken"), part["Id"])
        page, size = [], 0
        for row in part["Rows"][start : start + PAGE_ROWS]:
            size += len(json.dumps(row))
            if page and size > PAGE_BYTES:
                break
            page.append(row)
        answer = {"ColumnMetadata": part["Columns"], "Records": page, "TotalNumRows": len(part["Rows"])}
        end = start + len(page)
        return {**answer, "NextToken": _page_token(part["Id"], end)} if end < len(part["Rows"]) else answer

    def list_statements(self, request: dict) -> dict:
        """Statements, newest first; finished ones unless a status or ALL is asked for."""
        wanted = request.get("Status", "FINISHED")
        found = [
            _listed(record)
            for record in self._records.newest_first()
            if wanted in ("ALL", record["Status"])
            and record.get("StatementName", "").startswith(request.get("StatementName", ""))
            and all(record.get(key) == request[key] for key in ("WorkgroupName", "Database") if key in request)
        ]
        start = _page_start(request.get("NextToken"), "statements")
        end = start + int(request.get("MaxResults") or 100)
        more = {"NextToken": _page_token("statements", end)} if end < len(found) else {}
        return {"Statements": found[start:end], **more}

    def cancel_statement(self, request: dict) -> dict:
        """Stop a running statement; what its transaction did is undone."""
        record, _ = self._find(_required(request, "Id"))
        session = self._sessions.get(record["Id"])
        if record["Status"] in ENDED or session is None:
            state = record["Status"]
            raise ApiError("ValidationException", f"Could not cancel a query that is already in {state} state")
        session.interrupt()
        return {"Status": True}

    def _find(self, statement_id: str) -> tuple[dict, dict]:
        """The record of an id, and the part of it that the id names."""
        match = re.fullmatch(r"([a-z0-9]{8}(?:-[a-z0-9]{4}){3}-[a-z0-9]{12})(?::(\d{1,2}))?", statement_id)
        if not match:
            raise ApiError("ValidationException", f"id {statement_id} must be a UUID, for one of a batch with :number")
        record = self._records.get(match[1])
        parts = record.get("SubStatements", []) if record else []
        if record is None or (match[2] and not 1 <= int(match[2]) <= len(parts)):
            raise ApiError("ResourceNotFoundException", f"Query {statement_id} does not exist.")
        return record, parts[int(match[2]) - 1] if match[2] else record

    # The catalog ------------------------------------------------------------------------------------------------------

    def list_databases(self, request: dict) -> dict:
        """The databases of the workgroup's namespace."""
        return {"Databases": self._serverless.databases(self._namespace(request))}

    def list_schemas(self, request: dict) -> dict:
        """Schemas, of those that match `SchemaPattern`."""
        rows = self._catalog(
            request,
            "select distinct schema_name from information_schema.schemata"
            " where schema_name <> 'main' and schema_name like ? order by 1",
            [request.get("SchemaPattern", "%")],
        )
        return {"Schemas": [name for (name,) in rows]}

    def list_tables(self, request: dict) -> dict:
        """Tables and views, of those that match `SchemaPattern` and `TablePattern`."""
        rows = self._catalog(
            request,
            "select table_schema, table_name, table_type from information_schema.tables"
            " where table_schema <> 'main' and table_schema like ? and table_name like ? order by 1, 2",
            [request.get("SchemaPattern", "%"), request.get("TablePattern", "%")],
        )
        kinds = {"BASE TABLE": "TABLE", "VIEW": "VIEW"}
        return {"Tables": [{"schema": s, "name": n, "type": kinds.get(t, t)} for s, n, t in rows]}

    def describe_table(self, request: dict) -> dict:
        """The columns of a table with their declared types."""
        table, schema = _required(request, "Table").lower(), request.get("Schema", "public").lower()
        database = self._serverless.database(self._namespace(request), request["Database"])
        with database.transaction(writes=False) as session:
            columns = session.columns(f"{schema}.{table}")
        if not columns:
            raise ApiError("ValidationException", f"relation {schema}.{table} does not exist")
        return {
            "TableName": table,
            "ColumnList": [
                {
                    "name": column["name"],
                    "label": column["name"],
                    "typeName": column["type"].partition("(")[0],
                    "length": int((re.search(r"\((\d+)", column["type"]) or [0, 0])[1]),
                    "nullable": int(column["nullable"]),
                    "schemaName": schema,
                    "tableName": table,
                }
                for column in columns
            ],
        }

    def _catalog(self, request: dict, sql: str, parameters: list[str]) -> list[tuple]:
        database = self._serverless.database(self._namespace(request), request["Database"])
        with database.transaction(writes=False) as session:
            session.cursor.execute(sql, parameters)
            return session.cursor.fetchall()


class Records:
    """Statements by id. Each is a file once it ended, so that results outlive a restart; a day later it is gone."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._folder.mkdir(parents=True, exist_ok=True)
        self._records: dict[str, dict] = {}
        self._lock = threading.Lock()
        for path in folder.glob("*.json"):
            record = json.loads(path.read_text(encoding="utf-8"))
            self._records[record["Id"]] = record
            if record["Status"] not in ENDED:
                # The process ended under it, and its transaction with the process.
                _end(record, "ABORTED", "the warehouse was stopped while the statement ran")
                self.write(record)

    def get(self, statement_id: str) -> dict | None:
        """The record of a statement."""
        return self._records.get(statement_id)

    def newest_first(self) -> list[dict]:
        """All records."""
        return sorted(self._records.copy().values(), key=lambda record: record["CreatedAt"], reverse=True)

    def by_token(self, request: dict) -> dict | None:
        """The statement that was submitted with this request's ClientToken, if any."""
        token = request.get("ClientToken")
        for record in self._records.copy().values():
            if token and record.get("ClientToken") == token:
                if record["Request"] != _fingerprint(request):
                    raise ApiError("ValidationException", f"ClientToken {token} was used with another request")
                return record
        return None

    def write(self, record: dict) -> None:
        """Keep a record, and forget those that are too old."""
        with self._lock:
            self._records[record["Id"]] = record
            path = self._folder / f"{record['Id']}.json"
            partial = path.with_suffix(".partial")
            partial.write_text(json.dumps(record), encoding="utf-8")
            partial.replace(path)
            for old in [r["Id"] for r in self._records.values() if r["CreatedAt"] < time.time() - KEEP_SECONDS]:
                del self._records[old]
                (self._folder / f"{old}.json").unlink(missing_ok=True)


def _record(request: dict, texts: list[str], batch: bool) -> dict:
    now = time.time()
    identity = str(uuid.uuid4())
    record = {
        **{key: request[key] for key in KEPT if key in request},
        "Id": identity,
        "Status": "SUBMITTED",
        "CreatedAt": now,
        "UpdatedAt": now,
        "RedshiftPid": 1,
        "RedshiftQueryId": -1,
        "HasResultSet": False,
        "ResultFormat": "json",
        "Request": _fingerprint(request),
        "Roles": _roles(request),
    }
    if request.get("Parameters"):
        record["QueryParameters"] = request["Parameters"]
    if not batch:
        return {**record, "QueryString": texts[0]}
    parts = [
        {
            "Id": f"{identity}:{number}",
            "QueryString": text,
            "Status": "SUBMITTED",
            "CreatedAt": now,
            "UpdatedAt": now,
            "HasResultSet": False,
            "RedshiftQueryId": -1,
        }
        for number, text in enumerate(texts, start=1)
    ]
    return {**record, "SubStatements": parts}


def _listed(record: dict) -> dict:
    shown = {key: record[key] for key in (*DESCRIBED, "StatementName") if key in record}
    batch = "SubStatements" in record
    texts = {"QueryStrings": [part["QueryString"] for part in record["SubStatements"]]} if batch else {}
    return {**shown, **texts, "IsBatchStatement": batch}


def _fingerprint(request: dict) -> str:
    asked = {key: value for key, value in request.items() if key not in ("ClientToken", "WaitTimeSeconds")}
    return json.dumps(asked, sort_keys=True)


def _parse(record: dict, number: int, text: str, parameters: dict[str, str], batch: bool) -> Statement:
    try:
        mine = {name: value for name, value in parameters.items() if name in placeholders(text)} if parameters else {}
        statement = parse(text, mine, batch)
        needs_admin = statement.creates == "schema" or statement.kind in ("create role", "drop role", "grant")
        if needs_admin and "SecretArn" not in record:
            # The IAM identity is a database user without rights; the admin is reached through the secret.
            raise SqlError(f"permission denied for database {record['Database']}")
        return statement
    except SqlError:
        _fail_part(record, number)
        raise


def _authorize(record: dict, number: int, statement: Statement, session: Session) -> None:
    """Refuse what the caller's roles may not do. The administrator, by the secret, may do all; so may the account."""
    if record["Roles"] is None:
        return
    try:
        session.require_rights(statement, record["Roles"])
    except SqlError:
        _fail_part(record, number)
        raise


def _roles(request: dict) -> list[str] | None:
    """The database roles that the tag of an IAM principal puts it in, None for one that is not restricted.

    https://docs.aws.amazon.com/redshift/latest/mgmt/redshift-iam-access-federated-db-roles.html
    """
    caller = CALLER.get()
    if "SecretArn" in request or caller is None:
        return None
    return [role for role in caller.get("aws:principaltag/redshiftdbroles", "").lower().split(":") if role]


def _run_one(record: dict, number: int, statement: Statement, session: Session, transfers: S3Transfers) -> None:
    part = record["SubStatements"][number] if "SubStatements" in record else record
    part["Status"] = "STARTED"
    started = time.monotonic()
    try:
        transfer = statement.kind in ("copy", "unload")
        result = transfers.run(session, statement) if transfer else session.run(statement)
    except duckdb.InterruptException:
        raise
    except duckdb.Error as error:
        _fail_part(record, number)
        raise SqlError(redshift_message(str(error))) from error
    except SqlError:
        _fail_part(record, number)
        raise
    part["Duration"] = int((time.monotonic() - started) * 1e9)
    part["UpdatedAt"] = time.time()
    _store(part, result)
    if part is not record:
        part["Status"] = "FINISHED"
        record["HasResultSet"] |= part["HasResultSet"]
        record["ResultRows"] = part["ResultRows"]
        record["ResultSize"] = part["ResultSize"]


def _fail_part(record: dict, number: int) -> None:
    """Note which statement of a batch failed; those after it never run."""
    for position, part in enumerate(record.get("SubStatements", [])):
        part["Status"] = "FAILED" if position == number else "ABORTED" if position > number else part["Status"]


def _end(record: dict, status: str, message: str) -> None:
    """Give a statement that did not finish its error, as `ERROR: …`, for a batch with the statement that failed."""
    error = message if message.startswith("FATAL") else f"ERROR: {message}"
    record["Status"] = status
    record["Error"] = error
    for number, part in enumerate(record.get("SubStatements", []), start=1):
        if part["Status"] == "FAILED":
            part["Error"] = error
            record["Error"] = f"Query #{number} failed with {error}"
        elif part["Status"] not in ENDED:
            part["Status"] = "ABORTED"


def _store(part: dict, result: Result) -> None:
    part["HasResultSet"] = result.is_query
    part["ResultRows"] = result.changed
    part["ResultSize"] = 0
    if result.is_query:
        part["Columns"] = [_metadata(column) for column in result.columns]
        part["Rows"] = [[_field(value) for value in row] for row in result.rows]
        part["ResultSize"] = len(json.dumps(part["Rows"]))


def _metadata(column: Any) -> dict:
    return {
        "isCaseSensitive": column.type == "varchar",
        "isCurrency": False,
        "isSigned": column.type in ("int2", "int4", "int8", "float4", "float8", "numeric"),
        "label": column.name,
        "length": 0,
        "name": column.name,
        "nullable": 1,
        "precision": column.precision,
        "scale": column.scale,
        "schemaName": "",
        "tableName": "",
        "typeName": column.type,
    }


def _field(value: Any) -> dict:
    """A value as the Data API gives it: exact numbers and times as strings."""
    if value is None:
        return {"isNull": True}
    if isinstance(value, bool):
        return {"booleanValue": value}
    if isinstance(value, int):
        return {"longValue": value}
    if isinstance(value, float):
        return {"doubleValue": value}
    if isinstance(value, (Decimal, date, datetime)):
        return {"stringValue": as_text(value)}
    return {"stringValue": str(value)}


def _parameters(request: dict, texts: list[str]) -> dict[str, str]:
    """The named parameters; each must be used by a statement."""
    given = {item["name"]: item["value"] for item in request.get("Parameters") or []}
    try:
        used = set().union(*(placeholders(text) for text in texts)) if given else set()
    except SqlError:
        # The statement fails when it is run, with this error.
        return given
    if unused := sorted(set(given) - used):
        message = f"Parameters list contains unused parameters. Unused parameters: {unused}"
        raise ApiError("ValidationException", message)
    return given


def _only(request: dict, known: set[str]) -> None:
    if unknown := sorted(set(request) - known):
        raise ApiError("ValidationException", f"the local warehouse does not implement: {', '.join(unknown)}")


def _required(request: dict, name: str) -> str:
    if not request.get(name):
        raise ApiError("ValidationException", f"{name} is missing")
    return request[name]


def _page_token(what: str, start: int) -> str:
    return base64.urlsafe_b64encode(f"{what} {start}".encode()).decode()


def _page_start(token: str | None, what: str) -> int:
    if not token:
        return 0
    try:
        owner, _, start = base64.urlsafe_b64decode(token).decode().rpartition(" ")
        if owner == what:
            return int(start)
    except ValueError:
        pass
    raise ApiError("ValidationException", "NextToken is not valid")
