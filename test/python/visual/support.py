"""Golden cases of visual jobs: a folder a case, with a DAG, what it reads and what it must write.

dag.json           the DAG; its placeholders are the names in `Case.names`
case.json          {"runs": n} if the job is run more than once
input/             what lies under s3://<bucket>/input/; a name may say how the object is made:
                     x.parquet.json   a Parquet file of {"schema": {column: Arrow type}, "rows": [...]}
                     x.gzipped        the text, compressed, as object x
input/tables.json  tables of the catalog over the input
input/warehouse.sql   statements that the warehouse has run before the job
expected/error.txt    what the job's exception says, if it is to fail
expected/<name>.json  columns and rows, in any order, of what lies under s3://<bucket>/out/<name>/, and patterns of the
                      files' names; null for rows if nothing may lie there
expected/table.<name>.json   columns, partitions and rows of a table of the catalog
expected/warehouse.json      rows of tables of the warehouse
"""

from __future__ import annotations

import fnmatch
import gzip
import io
import json
import re
import runpy
import subprocess
import sys
import uuid
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from glue.support import TEXT_FORMATS, Lake
from pyspark.sql import Row
from running_cloud import ROOT, RunningCloud
from warehouse.support import Warehouse

HERE = Path(__file__).parent
PARQUET = {
    "InputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
    "OutputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
}
SERDES = {
    "csv": "org.apache.hadoop.hive.serde2.OpenCSVSerde",
    "parquet": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe",
}


def cases() -> list[str]:
    """The names of all cases."""
    return sorted(path.parent.name for path in HERE.glob("*/dag.json"))


def connect(warehouse: Warehouse) -> Warehouse:
    """Give a warehouse a connection of its own name, as stacks do, and a schema `lake`."""
    host = f"{warehouse.name}.000000000000.us-east-1.redshift-serverless.amazonaws.com"
    properties = {"JDBC_CONNECTION_URL": f"jdbc:redshift://{host}:5439/movies", "SECRET_ID": warehouse.secret}
    warehouse.cloud.client("glue").create_connection(
        ConnectionInput={"Name": warehouse.name, "ConnectionType": "JDBC", "ConnectionProperties": properties}
    )
    warehouse.done("create schema lake")
    return warehouse


def generate(command_line: Path, name: str, folder: Path) -> Path:
    """Write the script of a case's DAG, with the command line that people use."""
    script = folder / f"{name}.py"
    command = [command_line, "visual", "generate", "--file", HERE / name / "dag.json", "--out", script]
    made = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    return script


@dataclass
class Case:
    """A case with a bucket and a database of its own."""

    name: str
    cloud: RunningCloud
    warehouse: Warehouse
    spark: Any

    def __post_init__(self) -> None:
        self.folder = HERE / self.name
        self.lake = Lake(self.cloud)
        self.names = {
            "ProcessedBucket": self.lake.name,
            "BatchDatabase": self.lake.name,
            "TempDir": f"s3://{self.lake.name}/temporary/",
            "Connection": self.warehouse.name,
            "Table": f"t_{uuid.uuid4().hex[:8]}",
        }

    def text(self, file: str) -> str:
        """The text of one of the case's files, its placeholders filled in; empty if it has no such file."""
        path = self.folder / file
        text = path.read_text() if path.exists() else ""
        for name, value in self.names.items():
            text = text.replace(f"${{{name}}}", value)
        return text

    # Before -----------------------------------------------------------------------------------------------------------

    def prepare(self) -> Case:
        """Put the input where the job finds it."""
        for path in sorted((self.folder / "input").rglob("*")):
            name = path.relative_to(self.folder).as_posix()
            if path.is_file() and name not in ("input/tables.json", "input/warehouse.sql"):
                self._put(path, name)
        for table, described in json.loads(self.text("input/tables.json") or "{}").items():
            self._create_table(table, described)
        statements = [part for part in self.text("input/warehouse.sql").split(";\n") if part.strip()]
        if statements:
            self.warehouse.done(*statements)
        return self

    def _put(self, path: Path, name: str) -> None:
        if name.endswith(".parquet.json"):
            self.lake.put(name.removesuffix(".json"), _parquet(json.loads(path.read_text())))
        elif name.endswith(".gzipped"):
            self.lake.put(name.removesuffix(".gzipped"), gzip.compress(path.read_bytes()))
        else:
            self.lake.put(name, path.read_bytes())

    def _create_table(self, table: str, described: dict[str, Any]) -> None:
        kind, location = described["format"], f"s3://{self.lake.name}/input/{described['location']}"
        serde = {"separatorChar": described.get("separator", ","), "quoteChar": '"', "escapeChar": "\\"}
        storage = {
            **(TEXT_FORMATS if kind == "csv" else PARQUET),
            "Columns": _catalog_columns(described["columns"]),
            "Location": location,
            "SerdeInfo": {"SerializationLibrary": SERDES[kind], "Parameters": serde if kind == "csv" else {}},
        }
        parameters = {"classification": kind}
        if kind == "csv" and described.get("header", True):
            parameters["skip.header.line.count"] = "1"
        keys = _catalog_columns(described.get("partitions", {}))
        given = {"Name": table, "StorageDescriptor": storage, "PartitionKeys": keys, "Parameters": parameters}
        self.lake.glue.create_table(DatabaseName=self.lake.name, TableInput=given)
        for values in described.get("values", []):
            path = "/".join(f"{key['Name']}={value}" for key, value in zip(keys, values, strict=True))
            part = {"Values": values, "StorageDescriptor": {**storage, "Location": f"{location}{path}/"}}
            self.lake.glue.create_partition(DatabaseName=self.lake.name, TableName=table, PartitionInput=part)

    # The job ----------------------------------------------------------------------------------------------------------

    def run(self, script: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Run the script as a job's process does, in this one: it saves the start of a JVM for each case."""
        arguments = {"JOB_NAME": self.name, "JOB_RUN_ID": f"jr_{uuid.uuid4().hex}", **self.names}
        given = [part for name, value in arguments.items() for part in (f"--{name}", value)]
        monkeypatch.setattr(sys, "argv", [str(script), *given])
        runs = json.loads(self.text("case.json") or "{}").get("runs", 1)
        error = self.text("expected/error.txt").strip()
        for _ in range(runs):
            if error:
                with pytest.raises(Exception, match=error):
                    runpy.run_path(str(script), run_name="__main__")
            else:
                runpy.run_path(str(script), run_name="__main__")

    # After ------------------------------------------------------------------------------------------------------------

    def check(self) -> None:
        """Compare what was written with what is expected, and look for outputs that nobody expects."""
        for path in sorted((self.folder / "expected").glob("*.json")):
            expected = json.loads(self.text(f"expected/{path.name}"))
            if path.name == "warehouse.json":
                for table, rows in expected.items():
                    assert self.warehouse.rows(f"select * from {table}") == _in_order(rows, self.warehouse, table)
            elif path.name.startswith("table."):
                self._check_table(path.name.removeprefix("table.").removesuffix(".json"), expected)
            else:
                self._check_output(path.stem, expected)
        unexpected = self._outputs - {path.name.split(".")[-2] for path in (self.folder / "expected").glob("*.json")}
        assert not unexpected

    @cached_property
    def _outputs(self) -> set[str]:
        return {key.split("/")[1] for key in self.lake.keys("out/")}

    def _check_output(self, name: str, expected: dict[str, Any]) -> None:
        keys = [key.removeprefix(f"out/{name}/") for key in self.lake.keys(f"out/{name}/")]
        if expected["rows"] is None:
            assert keys == []
            return
        patterns = expected.get("files", ["*"])
        assert [key for key in keys if not any(fnmatch.fnmatchcase(key, pattern) for pattern in patterns)] == []
        assert [pattern for pattern in patterns if not fnmatch.filter(keys, pattern)] == []
        assert keys, f"nothing lies under out/{name}/"
        where = f"s3://{self.lake.name}/out/{name}/"
        if ".csv" in keys[0]:
            _check_rows(self.spark.read.text(where), {**expected, "rows": [[line] for line in expected["rows"]]})
        else:
            kind = next(kind for kind in ("parquet", "json", "orc") if f".{kind}" in keys[0])
            reader = self.spark.read.option("mergeSchema", True)
            if kind == "json":
                reader = reader.schema(_schema(expected["columns"]))
            _check_rows(reader.format(kind).load(where), expected)

    def _check_table(self, name: str, expected: dict[str, Any]) -> None:
        from catalog import read_table

        table = self.lake.table(name)
        assert self.lake.columns(name) == expected["columns"]
        keys = {key["Name"]: key["Type"] for key in table.get("PartitionKeys", [])}
        assert keys == expected.get("partitions", {})
        parts = self.lake.glue.get_partitions(DatabaseName=self.lake.name, TableName=name)["Partitions"]
        assert [part["Values"] for part in parts] == expected.get("values", [])
        frame = read_table(self.spark, self.lake.name, name)
        _check_rows(frame, {"columns": {**expected["columns"], **keys}, "rows": expected["rows"]})


def _schema(columns: dict[str, str]) -> str:
    return ", ".join(f"`{name.replace('`', '``')}` {kind}" for name, kind in columns.items())


def _check_rows(frame: Any, expected: dict[str, Any]) -> None:
    if "columns" in expected:
        assert dict(frame.dtypes) == expected["columns"]
        assert frame.columns == list(expected["columns"])
    assert _sorted([[plain(value) for value in row] for row in frame.collect()]) == _sorted(expected["rows"])


def _sorted(rows: list[list]) -> list[str]:
    return sorted(json.dumps(row, ensure_ascii=False) for row in rows)


def _in_order(rows: list[list], warehouse: Warehouse, table: str) -> list[list]:
    """The expected rows in the order in which the table gives them, if they are the same."""
    found = warehouse.rows(f"select * from {table}")
    return found if _sorted(found) == _sorted(rows) else rows


def plain(value: Any) -> Any:
    """A value of Spark as JSON has it."""
    if isinstance(value, Row) and hasattr(value, "__fields__"):
        return {name: plain(item) for name, item in value.asDict().items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, datetime):
        return value.isoformat(" ")
    return str(value) if isinstance(value, (Decimal, date)) else value


def _parquet(described: dict[str, Any]) -> bytes:
    """A Parquet file of columns and rows."""
    arrays = {}
    for index, (name, kind) in enumerate(described["schema"].items()):
        values: list[Any] = [row[index] for row in described["rows"]]
        if kind.startswith(("decimal", "timestamp")):
            read = Decimal if kind.startswith("decimal") else datetime.fromisoformat
            values = [None if value is None else read(value) for value in values]
        size = re.fullmatch(r"decimal\((\d+),(\d+)\)", kind)
        arrow = pa.decimal128(int(size[1]), int(size[2])) if size else pa.type_for_alias(kind)
        arrays[name] = pa.array(values, arrow)
    file = io.BytesIO()
    pq.write_table(pa.table(arrays), file)
    return file.getvalue()


def _catalog_columns(columns: dict[str, str]) -> list[dict[str, str]]:
    return [{"Name": name, "Type": kind} for name, kind in columns.items()]
