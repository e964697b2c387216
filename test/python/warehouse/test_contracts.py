"""What others rely on: the columns of the job, of Parquet and of the warehouse are the same, in the same order."""

from __future__ import annotations

import json
import re

import pytest
import sqlglot
from sqlglot import exp
from warehouse.support import ROOT, deployed_plan

from local.redshift_sql import parse

DATASETS = json.loads((ROOT / "datasets.json").read_text(encoding="utf-8"))
VIEW = re.compile(r"create view analytics\.(\w+) as\n(.*)", re.DOTALL)
FILES = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "sql").rglob("*.sql"))


def columns(schema: str, table: str) -> list[tuple[str, str]]:
    return [
        (column["column"], column["type"].replace(" ", ""))
        for column in deployed_plan()["columns"]
        if (column["schema"], column["table"]) == (schema, table)
    ]


@pytest.mark.parametrize("dataset", DATASETS, ids=lambda dataset: dataset["name"])
def test_the_jobs_mapping_is_the_staging_table(dataset: dict) -> None:
    """COPY goes by position and takes no other type than the file's."""
    script = (ROOT / f"glue-scripts/{dataset['name']}.py").read_text(encoding="utf-8")
    mappings = [
        re.findall(r'\("[^"]+", "[^"]+", "([^"]+)", "([^"]+)"\)', mapping)
        for mapping in re.findall(r"mappings=\[(.*?)\n    \]", script, re.DOTALL)
    ]
    published = [
        [(name, {"string": "varchar", "int": "integer"}.get(kind, kind)) for name, kind in mapping]
        for mapping in mappings
    ]
    staged = [(name, re.sub(r"^varchar.*", "varchar", kind)) for name, kind in columns("staging", dataset["tables"][0])]
    assert staged in published


@pytest.mark.parametrize("dataset", DATASETS, ids=lambda dataset: dataset["name"])
def test_history_is_no_wider_than_staging(dataset: dict) -> None:
    for table in dataset["tables"]:
        staged, kept = dict(columns("staging", table)), dict(columns("history", table))
        assert kept.pop("ingest_date") == "date"
        narrower = {("integer", "smallint")}
        assert all(kind == staged[name] or (staged[name], kind) in narrower for name, kind in kept.items())


@pytest.mark.parametrize("dataset", DATASETS, ids=lambda dataset: dataset["name"])
def test_analysts_see_every_column(dataset: dict) -> None:
    """The views give all that history holds, so that nobody has reason to go around them."""
    views = {match[1]: match[2] for sql in deployed_plan()["views"] if (match := re.match(VIEW, sql))}
    for table in dataset["tables"]:
        query = sqlglot.parse_one(views[table], read="redshift")
        assert isinstance(query, exp.Select)
        kept = [name for name, _ in columns("history", table)]
        assert query.named_selects in (kept, kept[:-1])


def statements(text: str) -> list[str]:
    without_comments = re.sub(r"--.*", "", text)
    return [statement for statement in without_comments.split(";") if statement.strip()]


@pytest.mark.parametrize("file", FILES)
def test_every_file_is_redshift(file: str) -> None:
    text = (ROOT / file).read_text(encoding="utf-8")
    for statement in statements(re.sub(r"\{\{rows_\w+\}\}", "1", text)):
        parse(re.sub(r"\{\{\w+\}\}", "name", statement), in_batch=True)


def test_a_run_has_room_for_more() -> None:
    """The batch that loads and builds the marts takes 40 statements; a new dataset of two tables needs six."""
    plan = deployed_plan()
    load = [sql for dataset in plan["datasets"].values() for sql in dataset["load"]]
    marts = [sql for mart in plan["marts"] for sql in mart["statements"]]
    assert len([*load, *marts, plan["loaded"]]) + 6 <= 40
