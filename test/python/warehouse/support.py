"""A warehouse in the shared local cloud, and the statements that the workflow runs in it."""

from __future__ import annotations

import io
import itertools
import json
import re
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from running_cloud import ROOT, RunningCloud

from local.redshift_sql import body_statements, parse

ROLE = "arn:aws:iam::000000000000:role/copy"
NUMBERS = itertools.count(1)


@lru_cache
def deployed_plan() -> dict:
    """The document of statements, as it is deployed."""
    printed = subprocess.run(["go", "run", "./internal/warehouse/print"], cwd=ROOT, capture_output=True, check=True)
    return json.loads(printed.stdout)


def rebuilt(plan: dict) -> list[str]:
    """The statements of the procedure that rebuilds what analysts read."""
    body = parse(plan["views"][-1]).body
    return [statement.text for statement in body_statements(body)]


def of_run(day: str) -> dict[str, str]:
    """The values that the workflow binds in a run of a day."""
    counts = {"rows_read": "4", "rows_processed": "2", "rows_quarantined": "1", "rows_duplicates": "1"}
    datasets = deployed_plan()["datasets"]
    return {
        "execution": f"run-{day}",
        "ingest_date": day,
        **{f"{dataset}_{name}": count for dataset in datasets for name, count in counts.items()},
    }


@dataclass
class Warehouse:
    """A namespace and a workgroup of their own, with a bucket for what is loaded and unloaded."""

    cloud: RunningCloud
    name: str = field(default_factory=lambda: f"warehouse-{next(NUMBERS)}")

    @property
    def plan(self) -> dict:
        """The document of statements."""
        return deployed_plan()

    def create(self) -> Warehouse:
        """Create the namespace, the workgroup and the bucket."""
        serverless = self.cloud.client("redshift-serverless")
        namespace = serverless.create_namespace(
            namespaceName=self.name, dbName="movies", manageAdminPassword=True, iamRoles=[ROLE]
        )["namespace"]
        serverless.create_workgroup(workgroupName=self.name, namespaceName=self.name, baseCapacity=8)
        self.secret = namespace["adminPasswordSecretArn"]
        self.data = self.cloud.client("redshift-data")
        self.s3 = self.cloud.client("s3")
        self.s3.create_bucket(Bucket=self.name)
        return self

    @property
    def target(self) -> dict:
        """What every request names."""
        secret = {"SecretArn": self.secret} if self.secret else {}
        return {"WorkgroupName": self.name, "Database": "movies", **secret}

    def seen_by(self, data: Any) -> Warehouse:
        """The same warehouse as a client of the Data API sees it that has no secret."""
        other = Warehouse(self.cloud, self.name)
        other.data, other.secret = data, ""
        return other

    # Statements -------------------------------------------------------------------------------------------------------

    def run(self, *statements: str, **values: str) -> dict:
        """Run a batch to its end and describe it; the API binds those of the values that the statements name."""
        named = set(re.findall(r"(?<![:\w]):([a-z_]+)", " ".join(statements)))
        parameters = [{"name": name, "value": value} for name, value in values.items() if name in named]
        bound = {"Parameters": parameters} if parameters else {}
        started = self.data.batch_execute_statement(Sqls=list(statements), WaitTimeSeconds=30, **bound, **self.target)
        return self.data.describe_statement(Id=started["Id"])

    def done(self, *statements: str, **values: str) -> dict:
        """Run a batch that must succeed."""
        described = self.run(*statements, **values)
        assert described["Status"] == "FINISHED", described["Error"]
        return described

    def error(self, *statements: str, **values: str) -> str:
        """Run a batch that must fail, and give its error."""
        described = self.run(*statements, **values)
        assert described["Status"] == "FAILED", described
        return described["Error"]

    def refused(self, sql: str) -> str:
        """Run a statement that must fail by itself, and give its error."""
        started = self.data.execute_statement(Sql=sql, WaitTimeSeconds=30, **self.target)
        described = self.data.describe_statement(Id=started["Id"])
        assert described["Status"] == "FAILED", described
        return described["Error"]

    def rows(self, sql: str, **parameters: str) -> list[list]:
        """The rows of a query, through the Data API."""
        bound = {"Parameters": [{"name": k, "value": v} for k, v in parameters.items()]} if parameters else {}
        started = self.data.execute_statement(Sql=sql, WaitTimeSeconds=30, **self.target, **bound)
        described = self.data.describe_statement(Id=started["Id"])
        assert described["Status"] == "FINISHED", described.get("Error")
        pages = self.data.get_paginator("get_statement_result").paginate(Id=started["Id"])
        return [[value(member) for member in record] for page in pages for record in page["Records"]]

    # Objects ----------------------------------------------------------------------------------------------------------

    def put(self, key: str, body: bytes) -> None:
        """Put an object into the bucket."""
        self.s3.put_object(Bucket=self.name, Key=key, Body=body)

    def put_parquet(self, key: str, table: pa.Table) -> None:
        """Put a table as a Parquet file."""
        file = io.BytesIO()
        pq.write_table(table, file)
        self.put(key, file.getvalue())

    def get(self, key: str) -> bytes:
        """The content of an object."""
        return self.s3.get_object(Bucket=self.name, Key=key)["Body"].read()

    def keys(self, prefix: str) -> list[str]:
        """The keys under a prefix."""
        return [item["Key"] for item in self.s3.list_objects_v2(Bucket=self.name, Prefix=prefix).get("Contents", [])]

    # What the workflow does -------------------------------------------------------------------------------------------

    def apply_schema(self) -> Warehouse:
        """Create schemas, tables, roles and views."""
        self.done(*self.plan["schema"])
        present = {name for (name,) in self.rows("select role_name from svv_roles")}
        missing = [f"create role {role}" for role in self.plan["roles"] if role not in present]
        self.done(*missing, *self.plan["views"], *self.plan["grants"])
        return self

    def fill(self, statement: str, **values: str) -> str:
        """Put values into a statement's placeholders where nothing is bound, as the workflow does."""
        known = {
            "processed_bucket": self.name,
            "artifacts_bucket": self.name,
            "copy_role": ROLE,
            **values,
        }
        for name, text in known.items():
            statement = statement.replace(f"{{{{{name}}}}}", text)
        assert "{{" not in statement
        return statement

    def stage(self, dataset: str, tables: dict[str, list[dict]], bad: Iterable[str] = ()) -> list[Any]:
        """Put a batch's rows where the job leaves them and copy them; gives the counts that the workflow reads."""
        prefix = f"staging/{dataset}/"
        for key in self.keys(prefix):
            self.s3.delete_object(Bucket=self.name, Key=key)
        copies = [self.plan["datasets"][dataset]["copy"][table] for table in tables]
        for table, rows in tables.items():
            self.put_parquet(f"{prefix}{table}/part-00000.parquet", self.published(table, rows))
        if lines := [json.dumps({"any": "column", "rules_broken": rules}) for rules in bad]:
            self.put(f"{prefix}quarantine/part-00000.json", "\n".join(lines).encode())
            copies.append(self.plan["datasets"][dataset]["copy"]["quarantine"])
        statements = self.plan["datasets"][dataset]
        described = self.done(*(self.fill(sql) for sql in statements["clear"] + copies + statements["count"]))
        return [self.result(part["Id"]) for part in described["SubStatements"][-2:]]

    def result(self, statement_id: str) -> list[list]:
        """The rows of one statement of a batch."""
        return [
            [value(member) for member in record]
            for record in self.data.get_statement_result(Id=statement_id)["Records"]
        ]

    def load_statements(self, *datasets: str) -> list[str]:
        """The batch that loads what is staged and rebuilds the marts."""
        return [*self._replacing(*datasets), *self.plan["quarantine"], self.plan["rebuild"], self.plan["loaded"]]

    def _replacing(self, *datasets: str) -> list[str]:
        return [sql for dataset in datasets for sql in self.plan["datasets"][dataset]["load"]]

    def load(self, day: str, **datasets: dict[str, list[dict]]) -> None:
        """Stage and load a batch of each of the datasets, and rebuild the marts."""
        for dataset, tables in datasets.items():
            self.stage(dataset, tables)
        self.done(*self.load_statements(*datasets), **of_run(day))

    @property
    def marts(self) -> list[str]:
        """The names of the marts."""
        return [unload["name"] for unload in self.plan["unload"]]

    def rebuilding(self, mart: str) -> list[str]:
        """The statements that rebuild the model, then this mart and those that it reads, without the others."""
        wanted = {mart}
        kept: list[str] = []
        for statement in reversed(rebuilt(self.plan)):
            created = re.match(r"create table (analytics|marts)\.(\w+)", statement)
            if created and (created[1] == "analytics" or created[2] in wanted):
                wanted |= set(re.findall(r"marts\.(\w+)", statement))
                kept = [f"drop table if exists {created[1]}.{created[2]}", statement, *kept]
        return kept

    def load_one_mart(self, mart: str, **datasets: dict[str, list[dict]]) -> None:
        """Like `load`, with a single mart."""
        for dataset, tables in datasets.items():
            self.stage(dataset, tables)
        self.done(*self._replacing(*datasets), *self.rebuilding(mart), **of_run("2024-01-01"))

    def published(self, table: str, rows: list[dict]) -> pa.Table:
        """Rows as the job publishes them: every column of the table, in its order and with its type."""
        columns = [c for c in self.plan["columns"] if (c["schema"], c["table"]) == ("staging", table)]
        known = {column["column"] for column in columns}
        assert all(set(row) <= known for row in rows), f"{table}: unknown column in {rows[:1]}"
        return pa.table(
            {
                column["column"]: pa.array(
                    [python_value(row.get(column["column"]), column["type"]) for row in rows],
                    arrow_type(column["type"]),
                )
                for column in columns
            }
        )


def value(member: dict) -> Any:
    """A value of the Data API as Python has it; exact numbers stay strings."""
    return None if member.get("isNull") else next(iter(member.values()))


def arrow_type(redshift_type: str) -> pa.DataType:
    """What the job writes for a column of this type."""
    if match := re.fullmatch(r"decimal\((\d+), ?(\d+)\)", redshift_type):
        return pa.decimal128(int(match[1]), int(match[2]))
    plain = {"bigint": pa.int64(), "integer": pa.int32(), "date": pa.date32(), "timestamp": pa.timestamp("us")}
    return plain.get(redshift_type, pa.string())


def python_value(given: Any, redshift_type: str) -> Any:
    """A value of a test's data file with the type of its column."""
    if given is None:
        return None
    if redshift_type.startswith("decimal"):
        return Decimal(str(given))
    if redshift_type == "date":
        return date.fromisoformat(given)
    return datetime.fromisoformat(given) if redshift_type == "timestamp" else given
