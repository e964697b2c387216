"""What data tell of rules: a sound batch, and one with a fault."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from local.dq.review.checks import Subject
from local.dq.review.evidence import PlantedFault, gather, of_gate, of_rows
from local.dq.review.source import RuleFile
from local.dq.rules import parse

pytestmark = pytest.mark.spark

SOUND = [("a", 1, "x"), ("b", 2, "y"), ("c", None, "")]
COLUMNS = "id string, number int, text string"


def subject(spark: Any, kind: Any, rules: list[str]) -> Subject:
    text = "Rules = [\n" + ",\n".join(rules) + "\n]"
    file = RuleFile(Path("rules.dqdl"), "rules.dqdl", text)
    return Subject(file, kind, list(zip(parse(spark._jvm, text).rules, file.places, strict=True)))


def row_findings(spark: Any, rules: list[str], spoiled: list[tuple], *faults: PlantedFault) -> list[tuple[str, int]]:
    """Findings on row rules, the first of which stands on line 2."""
    about = subject(spark, "rows", rules)
    given = gather(spark.createDataFrame(SOUND, COLUMNS), about.file.text, {}, by_rows=True)
    faulty = gather(spark.createDataFrame(spoiled, COLUMNS), about.file.text, {}, by_rows=True)
    return [(each.kind, each.line) for each in of_rows(about, given, faulty, faults)]


def gate_findings(spark: Any, rules: list[str], frame: Any = None, *faults: PlantedFault) -> list[tuple[str, int]]:
    about = subject(spark, "gate", rules)
    given = gather(spark.createDataFrame(SOUND, COLUMNS), about.file.text, {}, by_rows=False)
    faulty = [] if frame is None else [(list(faults), gather(frame, about.file.text, {}, by_rows=False))]
    return [(each.kind, each.line) for each in of_gate(about, given, faulty)]


def test_a_row_rule_must_break_on_a_spoiled_row(spark: Any) -> None:
    rules = ['IsUnique "id"', 'ColumnValues "number" < 9 where "number is not null"']
    assert row_findings(spark, rules, [*SOUND, ("a", 8, "z")]) == [("no-fault", 3)]
    assert row_findings(spark, rules, [*SOUND, ("a", 9, "z")]) == []


def test_a_row_rule_that_no_row_keeps(spark: Any) -> None:
    rules = ['ColumnValues "text" in ["no", "such"]', 'ColumnValues "text" in ["x", "y", ""]']
    spoiled = [*SOUND, ("d", 1, "z")]
    assert ("never-passes-on-sample", 2) in row_findings(spark, rules, spoiled)
    assert [line for _, line in row_findings(spark, rules, spoiled)].count(3) == 0


@pytest.mark.parametrize(
    ("clause", "kind"),
    [
        ("1 = 1", "idle-where"),
        ("text = 'never'", "idle-where"),
        ("text is not null", None),
        ("text <> ''", None),
    ],
)
def test_a_where_tells_rows_apart(spark: Any, clause: str, kind: str | None) -> None:
    found = row_findings(spark, [f'ColumnValues "number" < 9 where "{clause}"'], [*SOUND, ("d", 9, "z")])
    assert ("idle-where", 2) in found if kind else found == []


def test_where_clauses_that_hold_for_any_row_are_told_apart_from_those_of_this_sample(spark: Any) -> None:
    text = 'Rules = [ IsUnique "id" where "1 = 1", IsUnique "text" where "id < \'z\'" ]'
    found = gather(spark.createDataFrame(SOUND, COLUMNS), text, {}, by_rows=True)
    assert found.always == {"1 = 1"}
    assert found.where == {"1 = 1": 3, "id < 'z'": 3}


def test_a_clause_or_a_statement_with_an_unknown_column(spark: Any) -> None:
    rules = ['IsUnique "id" where "nubmer > 1"', 'CustomSql "select count(nubmer) from primary" > 0']
    assert gate_findings(spark, rules) == [("unknown-column", 2), ("unknown-column", 3)]


def test_a_rule_that_cannot_be_evaluated(spark: Any) -> None:
    rules = ['IsUnique "id" where "id > "', "RowCount > 0"]
    assert gate_findings(spark, rules) == [("not-evaluated", 2)]


def test_a_gate_must_pass_the_sound_batch(spark: Any) -> None:
    assert gate_findings(spark, ["RowCount > 3", "RowCount > 2"]) == [("fails-on-sample", 2)]


def test_a_gate_rule_must_stop_a_faulty_batch(spark: Any) -> None:
    rules = ["RowCount > 2", 'Uniqueness "id" > 0.9']
    half = spark.createDataFrame(SOUND[:2], COLUMNS)
    fault = PlantedFault("half_the_rows", None, "RowCount > 2")
    assert gate_findings(spark, rules, half, fault) == [("no-fault", 3)]


def test_a_missing_column_tries_the_rule_on_columns_alone(spark: Any) -> None:
    rules = ['ColumnExists "id"', 'Uniqueness "id" > 0.9', "ColumnCount > 2"]
    gone = spark.createDataFrame([(1, "x")], "number int, text string")
    fault = PlantedFault("column_gone", "id", 'ColumnExists "id"')
    assert gate_findings(spark, rules, gone, fault) == [("no-fault", 3)]


def test_a_fault_must_be_caught_by_the_rule_that_it_names(spark: Any) -> None:
    rules = ["RowCount > 2", "RowCount > 1"]
    half = spark.createDataFrame(SOUND[:2], COLUMNS)
    faults = [PlantedFault("half", None, rule) for rule in ("RowCount > 2", "RowCount > 1", "RowCount > 7")]
    found = gate_findings(spark, rules, half, *faults)
    assert [each for each in found if each[0] == "fault-missed"] == [("fault-missed", 3), ("fault-missed", 1)]


def test_a_row_fault_that_its_rule_sees_in_too_few_rows(spark: Any) -> None:
    rules = ['IsUnique "id"']
    faults = [PlantedFault("copied", "id", 'IsUnique "id"')] * 3
    assert row_findings(spark, rules, [*SOUND, ("a", 1, "z")], *faults) == [("fault-missed", 2)]
    assert row_findings(spark, rules, [*SOUND, ("a", 1, "z"), ("a", 2, "z")], *faults) == []
