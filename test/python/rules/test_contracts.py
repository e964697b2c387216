"""What is written down twice must be the same in both places."""

from __future__ import annotations

import json
import re
import sys

import pytest
from rules.conftest import ROOT, ruleset

sys.path.insert(0, str(ROOT / "sample-data"))

DATASETS = {entry["name"]: entry["tables"] for entry in json.loads((ROOT / "datasets.json").read_text())}
RULESETS = sorted(path.stem for path in (ROOT / "dqdl-rules").glob("*.dqdl"))


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


def test_the_faults_name_rules_that_exist() -> None:
    from faults import BATCH_FAULTS, DUPLICATE, ROW_FAULTS

    for dataset in DATASETS:
        gate, rows = (ruleset(f"{dataset}_{kind}").replace('", "', '","') for kind in ("gate", "rows"))
        assert all(f"    {fault.rule}" in gate for fault in BATCH_FAULTS[dataset])
        assert all(f"    {fault.rule}" in rows for fault in ROW_FAULTS[dataset] if fault.rule != DUPLICATE)
