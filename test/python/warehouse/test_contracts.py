"""What others rely on: the columns of the job, of Parquet and of the warehouse are the same, in the same order."""

from __future__ import annotations

import json
import re

import pytest
import sqlglot
from sqlglot import exp
from sqlglot.tokenizer_core import TokenType
from warehouse.support import ROOT, deployed_plan, rebuilt

from local.redshift_sql import parse, placeholders

DATASETS = json.loads((ROOT / "datasets.json").read_text(encoding="utf-8"))
FILES = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "sql").rglob("*.sql"))


def columns(schema: str, table: str) -> list[tuple[str, str]]:
    return [
        (column["column"], column["type"].replace(" ", ""))
        for column in deployed_plan()["columns"]
        if (column["schema"], column["table"]) == (schema, table)
    ]


@pytest.mark.parametrize("dataset", DATASETS, ids=lambda dataset: dataset["name"])
def test_history_is_no_wider_than_staging(dataset: dict) -> None:
    for table in dataset["tables"]:
        staged, kept = dict(columns("staging", table)), dict(columns("history", table))
        assert kept.pop("ingest_date") == "date"
        narrower = {("integer", "smallint")}
        assert all(kind == staged[name] or (staged[name], kind) in narrower for name, kind in kept.items())


@pytest.mark.parametrize("dataset", DATASETS, ids=lambda dataset: dataset["name"])
def test_analysts_see_every_column(dataset: dict) -> None:
    """The model gives all that history holds, so that nobody has reason to go around it."""
    trees = [sqlglot.parse_one(sql, read="redshift") for sql in rebuilt(deployed_plan())]
    model = {tree.this.sql("redshift"): tree.expression for tree in trees if isinstance(tree, exp.Create)}
    for table in dataset["tables"]:
        kept = [name for name, _ in columns("history", table)]
        assert model[f"analytics.{table}"].named_selects in (kept, kept[:-1])


def statements(text: str) -> list[str]:
    """The statements of a text; a semicolon in a procedure's body ends none."""
    ends = [token.start for token in sqlglot.tokenize(text, read="redshift") if token.token_type == TokenType.SEMICOLON]
    parts = [text[start:end].strip("; \n") for start, end in zip([0, *ends], [*ends, len(text)], strict=True)]
    return [part for part in parts if re.sub(r"--.*", "", part).strip()]


@pytest.mark.parametrize("file", FILES)
def test_every_file_is_redshift(file: str) -> None:
    text = (ROOT / file).read_text(encoding="utf-8")
    text = re.sub(r"\{\{statements\}\}", "delete from name", text)
    text = re.sub(r"\{\{(ingest_date|execution|rows_\w+)\}\}", r":\1", text)
    found = statements(re.sub(r"\{\{\w+\}\}", "name", text))
    assert found
    for statement in found:
        parse(statement, dict.fromkeys(placeholders(statement), "1"), in_batch=True)


def test_a_run_has_room_for_more() -> None:
    """The batch that loads and rebuilds takes 40 statements; a new dataset of two tables needs six."""
    plan = deployed_plan()
    load = [sql for dataset in plan["datasets"].values() for sql in dataset["load"]]
    assert len([*load, *plan["quarantine"], plan["rebuild"], plan["loaded"]]) + 3 * 6 <= 40


# What the local engine does not show ----------------------------------------------------------------------------------


def created() -> dict[str, exp.Create]:
    """The tables of staging, history, audit and analytics, parsed, by name."""
    plan = deployed_plan()
    trees = [sqlglot.parse_one(sql, read="redshift") for sql in [*plan["schema"], *rebuilt(plan)]]
    tables = {tree.find(exp.Table): tree for tree in trees if isinstance(tree, exp.Create) and tree.kind == "TABLE"}
    return {table.sql(): tree for table, tree in tables.items() if table and table.db != "marts"}


def keys(tree: exp.Create, kind: type[exp.Expr]) -> list[str]:
    """The columns of a distribution or sort key."""
    return [name.name for found in tree.find_all(kind) for name in found.find_all(exp.Identifier)]


def test_what_is_joined_to_films_lies_where_they_lie() -> None:
    """A join of tables that are distributed by its key moves no rows; a load replaces one date and reads no other."""
    published = [table for dataset in DATASETS for table in dataset["tables"]]
    for table in published:
        for schema in ("history", "analytics"):
            tree = created()[f"{schema}.{table}"]
            assert keys(tree, exp.DistKeyProperty) == ["imdb_id"], f"{schema}.{table}"
            first = "ingest_date" if schema == "history" else {"movies": "release_year"}.get(table, "imdb_id")
            assert keys(tree, exp.SortKeyProperty)[0] == first, f"{schema}.{table}"


def test_every_table_says_how_it_is_distributed() -> None:
    for name, tree in created().items():
        distributed = list(tree.find_all(exp.DistKeyProperty, exp.DistStyleProperty))
        assert len(distributed) == 1, name
        schema = name.partition(".")[0]
        assert (schema == "staging") == (not keys(tree, exp.SortKeyProperty)), f"{name}: staging alone is not sorted"


@pytest.mark.parametrize("file", FILES)
def test_redshift_chooses_encodings_and_tidies_up(file: str) -> None:
    """It does both by itself; and VACUUM, TRUNCATE and COMMIT would end the transaction of a load."""
    words = {token.text.lower() for token in sqlglot.tokenize((ROOT / file).read_text(), read="redshift")}
    assert not words & {"encode", "vacuum", "analyze", "truncate", "commit"}


def test_the_picture_of_the_model_is_right() -> None:
    """It may leave columns out, and shows no others and no other types."""
    text = (ROOT / "docs/warehouse.md").read_text(encoding="utf-8")
    entities = dict(re.findall(r"^  (\w+) \{\n(.*?)^  \}", text, re.MULTILINE | re.DOTALL))
    assert sorted(entities) == sorted(table for dataset in DATASETS for table in dataset["tables"])
    for table, body in entities.items():
        declared = {name: kind.partition("(")[0] for name, kind in columns("history", table)}
        for kind, name in re.findall(r"^    (\w+) (\w+)", body, re.MULTILINE):
            assert declared.get(name) == kind, f"{table}.{name}"
