"""Redshift as a target of jobs: files in a temporary folder of S3, then COPY between pre- and post-actions.

Glue's connector builds on the community's for Spark, and so does the order here: CREATE TABLE IF NOT EXISTS,
preactions, COPY, postactions, all in the transaction of one session, which a failure undoes. What commits in Redshift
commits here: COMMIT, END, and TRUNCATE. Actions are cut at each semicolon, even one inside quotes.
https://github.com/spark-redshift-community/spark-redshift
https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-connect-redshift-home.html
"""

import json
import os
import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import boto3
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import DataType, StringType

# https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-connect-redshift-home.html
OPTIONS = {
    "aws_iam_role",
    "connectionName",
    "csvnullstring",
    "database",
    "dbtable",
    "extracopyoptions",
    "postactions",
    "preactions",
    "redshiftTmpDir",
    "useConnectionProperties",
}
NULL = "@NULL@"
MOST_IN_BATCH = 40  # of the Data API, in one transaction
ENDS = {"commit", "end", "rollback", "abort"}
# How the connector declares the columns of a table that does not exist. Text gets Redshift's TEXT, 256 bytes.
TYPES = {
    "boolean": "BOOLEAN",
    "tinyint": "SMALLINT",
    "smallint": "SMALLINT",
    "int": "INTEGER",
    "bigint": "BIGINT",
    "float": "REAL",
    "double": "DOUBLE PRECISION",
    "string": "VARCHAR(256)",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
}


class RedshiftError(Exception):
    """A statement that Redshift refused, with its words."""


def write_redshift(frame: DataFrame, options: dict[str, Any]) -> None:
    """Load a frame's rows into `options["dbtable"]`.

    Raises RedshiftError for what Redshift refuses, ValueError for a missing option, NotImplementedError for an unknown
    one, and the Glue client's EntityNotFoundException for an unknown connection.
    """
    _check(options)
    names = _lower_names(frame)
    warehouse = Warehouse.of_connection(options["connectionName"], options.get("database"))
    manifest = _stage(frame.toDF(*names), options)
    table = options["dbtable"]
    columns = ", ".join(f'"{field.name.lower()}" {_declared(field.name, field.dataType)}' for field in frame.schema)
    steps = [f"CREATE TABLE IF NOT EXISTS {table} ({columns})", *_actions(options.get("preactions", ""), table)]
    if manifest:  # a frame without rows runs the actions alone
        probe = _same_columns(table, names)
        steps += [probe, _copy(options, manifest)]
        warehouse.expect(probe, lambda: _other_columns(table, names))
    for transaction in _transactions([*steps, *_actions(options.get("postactions", ""), table)]):
        warehouse.run(transaction)


def _check(options: dict[str, Any]) -> None:
    if unknown := sorted(set(options) - OPTIONS):
        raise NotImplementedError(f"Redshift target: option {', '.join(unknown)}")
    for name in ("connectionName", "dbtable", "redshiftTmpDir"):
        if not options.get(name):
            raise ValueError(f"Redshift target: the option {name} is missing")
    if str(options.get("useConnectionProperties", "true")).lower() != "true":
        raise NotImplementedError("Redshift target without useConnectionProperties")


def _lower_names(frame: DataFrame) -> list[str]:
    """Redshift folds names to lower case; Glue refuses two columns that become one."""
    names = [name.lower() for name in frame.columns]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"Redshift target: two columns would be named {', '.join(twice)}")
    return names


def _declared(name: str, kind: DataType) -> str:
    simple = kind.simpleString()
    if simple.startswith("decimal"):
        return simple.upper()
    if simple not in TYPES:
        raise NotImplementedError(f"Redshift target: column {name} of type {simple}")
    return TYPES[simple]


def _actions(text: str, table: str) -> list[str]:
    """The statements of pre- or postactions; the connector puts the table's name where it finds %s."""
    return [action.strip().replace("%s", table) for action in text.split(";") if action.strip()]


def _transactions(steps: Iterable[str]) -> Iterable[list[str]]:
    """The statements of each transaction, as a session without auto-commit has them.

    BEGIN within a transaction does nothing but warn. TRUNCATE commits; it is run on its own here, after what is before
    it, which makes a difference only if it fails.
    """
    pending: list[str] = []
    for step in steps:
        word = (re.match(r"\w+", step) or [""])[0].lower()
        if word in ("begin", "start"):
            continue
        if word in ENDS:
            if word in ("commit", "end"):
                yield pending
            pending = []
        elif word == "truncate":
            yield pending
            yield [step]
            pending = []
        else:
            pending.append(step)
    yield pending


# The files ------------------------------------------------------------------------------------------------------------


def _stage(frame: DataFrame, options: dict[str, Any]) -> str | None:
    """Write the rows as CSV into a folder of their own; gives the manifest's URL, or None if there are no rows.

    The files stay, as on AWS: a lifecycle rule of the bucket clears them away.
    """
    folder = f"{options['redshiftTmpDir'].rstrip('/')}/{uuid.uuid4()}/"
    texts = frame.select(*(_text(field.name, field.dataType) for field in frame.schema))
    writer = texts.write.format("csv").option("escape", '"').option("nullValue", _null(options))
    writer = writer.option("ignoreLeadingWhiteSpace", False).option("ignoreTrailingWhiteSpace", False)
    writer.save(folder)
    where = urlsplit(folder)
    s3 = boto3.client("s3")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=where.netloc, Prefix=where.path.lstrip("/"))
    found = [item for page in pages for item in page.get("Contents", [])]
    files = [f"s3://{where.netloc}/{item['Key']}" for item in found if item["Size"] > 0]
    if not files:
        return None
    entries = [{"url": url, "mandatory": True} for url in sorted(files)]
    key = where.path.lstrip("/") + "manifest.json"
    s3.put_object(Bucket=where.netloc, Key=key, Body=json.dumps({"entries": entries}).encode())
    return f"s3://{where.netloc}/{key}"


def _text(name: str, kind: DataType) -> Column:
    column = F.col(_quoted(name, "`"))
    if kind.simpleString() == "timestamp":
        return F.date_format(column, "yyyy-MM-dd HH:mm:ss.SSSSSS").alias(name)
    return column.cast(StringType()).alias(name)


def _null(options: dict[str, Any]) -> str:
    return options.get("csvnullstring") or NULL


def _copy(options: dict[str, Any], manifest: str) -> str:
    if role := options.get("aws_iam_role"):
        given = f"aws_iam_role={role}"
    else:
        # The job's own credentials, which Glue hands on.
        key, secret = os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"]
        given = f"aws_access_key_id={key};aws_secret_access_key={secret}"
    null = _quoted(_null(options), "'")
    extra = options.get("extracopyoptions", "")
    copy = f"COPY {options['dbtable']} FROM '{manifest}' CREDENTIALS '{given}' FORMAT AS CSV NULL AS {null} MANIFEST"
    return f"{copy} {extra}".strip()


def _same_columns(table: str, names: list[str]) -> str:
    """A query that fails unless the table has these columns in this order.

    Glue's connector copies by position: on AWS a table whose columns have another order would take the values for one
    another's without a word.
    """
    schema, _, name = table.replace('"', "").lower().rpartition(".")
    return (
        "SELECT 1 / (CASE WHEN LISTAGG(column_name, ',') WITHIN GROUP (ORDER BY ordinal_position) = "
        f"{_quoted(','.join(names), chr(39))} THEN 1 ELSE 0 END) FROM information_schema.columns "
        f"WHERE table_schema = {_quoted(schema or 'public', chr(39))} AND table_name = {_quoted(name, chr(39))}"
    )


def _other_columns(table: str, names: list[str]) -> str:
    return (
        f"the columns of {table} are not those of the frame in the same order ({', '.join(names)}): "
        "Redshift's COPY goes by position, so nothing was loaded"
    )


def _quoted(text: str, quote: str) -> str:
    return quote + text.replace(quote, quote * 2) + quote


# The warehouse --------------------------------------------------------------------------------------------------------


@dataclass
class Warehouse:
    """A database of a workgroup, reached as a connection says, through the Data API."""

    workgroup: str
    database: str
    secret: str

    def __post_init__(self) -> None:
        self._data = boto3.client("redshift-data")
        self._messages: dict[str, Any] = {}

    @classmethod
    def of_connection(cls, name: str, database: str | None) -> "Warehouse":
        """The warehouse that a connection of the catalog names by its JDBC URL and its secret."""
        connection = boto3.client("glue").get_connection(Name=name)["Connection"]
        properties = connection["ConnectionProperties"]
        url = properties.get("JDBC_CONNECTION_URL", "")
        found = re.fullmatch(
            r"jdbc:redshift://(?P<workgroup>[a-z0-9-]+)\.\d+\.[a-z0-9-]+\.redshift-serverless\.amazonaws\.com(:\d+)?"
            r"/(?P<database>[^?;/]+)([?;].*)?",
            url,
        )
        if not found:
            raise NotImplementedError(f"connection {name}: JDBC_CONNECTION_URL {url!r} names no Serverless workgroup")
        if not properties.get("SECRET_ID"):
            raise NotImplementedError(f"connection {name} without SECRET_ID")
        return cls(found["workgroup"], database or found["database"], properties["SECRET_ID"])

    def expect(self, statement: str, message: Any) -> None:
        """Tell `message()` if this statement is the one that fails."""
        self._messages[statement] = message

    def run(self, statements: list[str]) -> None:
        """Run statements in one transaction. Raises RedshiftError with the words of the one that failed."""
        if not statements:
            return
        if len(statements) > MOST_IN_BATCH:
            raise NotImplementedError(f"Redshift target: {len(statements)} statements in one transaction")
        target = {"WorkgroupName": self.workgroup, "Database": self.database, "SecretArn": self.secret}
        if len(statements) == 1:
            started = self._data.execute_statement(Sql=statements[0], WaitTimeSeconds=30, **target)
        else:
            started = self._data.batch_execute_statement(Sqls=statements, WaitTimeSeconds=30, **target)
        described = self._described(started["Id"])
        if described["Status"] != "FINISHED":
            raise RedshiftError(self._error(statements, described))

    def _described(self, statement: str) -> dict[str, Any]:
        while True:
            described = self._data.describe_statement(Id=statement, WaitTimeSeconds=30)
            if described["Status"] in ("FINISHED", "FAILED", "ABORTED"):
                return described

    def _error(self, statements: list[str], described: dict[str, Any]) -> str:
        for statement, part in zip(statements, described.get("SubStatements", [described]), strict=True):
            if part["Status"] == "FAILED":
                message = self._messages.get(statement)
                return message() if message else f"{part.get('Error', described['Error'])} in: {_shown(statement)}"
        return str(described["Error"])


def _shown(statement: str) -> str:
    """The beginning of a statement, without the keys in it."""
    return re.sub(r"CREDENTIALS '[^']*'", "CREDENTIALS '***'", statement)[:500]
