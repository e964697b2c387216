"""What is written down twice must be the same in both places."""

from __future__ import annotations

import ast
import json
import re
import sys

import pytest
from rules.conftest import ROOT, constants, ruleset

sys.path.insert(0, str(ROOT / "sample-data"))

DATASETS = {entry["name"]: entry["tables"] for entry in json.loads((ROOT / "datasets.json").read_text())}
RULESETS = sorted(path.stem for path in (ROOT / "dqdl-rules").glob("*.dqdl"))


def mapped(dataset: str) -> list[tuple[str, str]]:
    """The columns and types that the job's mapping gives."""
    tree = ast.parse((ROOT / "glue-scripts" / f"{dataset}.py").read_text())
    (lines,) = [
        ast.literal_eval(keyword.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg == "mappings"
    ]
    return [(target, kind) for _, _, target, kind in lines]


def staging_columns(table: str) -> dict[str, str]:
    """The columns and types of a staging table."""
    ddl = (ROOT / "sql" / "tables" / f"{table}.sql").read_text()
    body = re.search(rf"staging\.{table} \((.*?)\n\)", ddl, re.S)
    assert body is not None
    lines = [line.strip().rstrip(",") for line in body[1].strip().splitlines()]
    return dict(line.split(" ", 1) for line in lines)  # type: ignore[arg-type]


@pytest.mark.parametrize("dataset", DATASETS)
def test_the_script_has_the_ruleset_of_the_file(dataset: str) -> None:
    (text,) = [text for name, text in constants(dataset).items() if name.endswith("_ruleset")]
    assert text.strip() == ruleset(f"{dataset}_rows").strip()


def test_each_dataset_has_a_gate_and_row_rules() -> None:
    wanted = [f"{dataset}_{kind}" for dataset in DATASETS for kind in ("gate", "rows")]
    assert sorted(wanted) == RULESETS


@pytest.mark.parametrize("name", RULESETS)
def test_a_ruleset_is_ascii_and_short_enough_for_a_visual_job(name: str) -> None:
    assert ruleset(name).isascii()
    assert len(ruleset(name)) < 65_536


@pytest.mark.parametrize("name", RULESETS)
def test_a_ruleset_counts_rows(name: str) -> None:
    assert re.search(r"^ +RowCount >", ruleset(name), re.M)


@pytest.mark.parametrize("dataset", DATASETS)
def test_row_rules_have_no_rule_type_that_says_nothing_of_a_row(dataset: str) -> None:
    types = set(re.findall(r"^ +\(?([A-Z]\w+)", ruleset(f"{dataset}_rows"), re.M))
    assert types <= {"RowCount", "IsComplete", "IsUnique", "ColumnValues"}


@pytest.mark.parametrize("dataset", DATASETS)
def test_the_mapping_is_the_staging_table(dataset: str) -> None:
    kinds = {"string": "varchar", "int": "integer", "decimal": "decimal"}
    table = staging_columns(DATASETS[dataset][0])
    columns = mapped(dataset)
    assert [name for name, _ in columns] == list(table)
    for name, kind in columns:
        wanted = kinds.get(kind, kind).replace(",", ", ")
        assert table[name].startswith(wanted), f"{name}: {kind} in the job, {table[name]} in the warehouse"


def test_texts_that_pass_fit_the_warehouse() -> None:
    query = constants("movies")["SqlQuery3"]
    whole = re.findall(r"octet_length\(`?(\w+)`?\) > (\d+)", query)
    items = re.findall(r"split\((\w+), ','\), name -> octet_length\(trim\(name\)\) > (\d+)", query)
    limits = {{"cast": "actors"}.get(name, name): f"varchar({limit})" for name, limit in whole + items}
    texts = {
        column: kind
        for table in DATASETS["movies"]
        for column, kind in staging_columns(table).items()
        if kind.startswith("varchar")
    }
    # Rules of their own leave these two no room for more.
    assert limits == {column: kind for column, kind in texts.items() if column not in ("imdb_id", "certificate")}


def test_the_faults_name_rules_that_exist() -> None:
    from faults import BATCH_FAULTS, DUPLICATE, ROW_FAULTS

    for dataset in DATASETS:
        gate, rows = (ruleset(f"{dataset}_{kind}").replace('", "', '","') for kind in ("gate", "rows"))
        assert all(f"    {fault.rule}" in gate for fault in BATCH_FAULTS[dataset])
        assert all(f"    {fault.rule}" in rows for fault in ROW_FAULTS[dataset] if fault.rule != DUPLICATE)
