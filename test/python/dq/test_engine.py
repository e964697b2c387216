"""The engine against golden cases: for each rule its outcome, its metrics and the rows that keep or break it."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from local.dq.engine import Evaluation, evaluate
from local.dq.rules import RulesetError

pytestmark = pytest.mark.spark

CASES = Path(__file__).parent / "cases"
RESULTS = {True: "PASS", False: "FAIL", None: "ERROR"}


def cases() -> list[Any]:
    found = []
    for path in sorted(CASES.glob("*.json")):
        described = json.loads(path.read_text())
        rules = described.get("rules", [])
        found += [pytest.param(path.stem, index, id=f"{path.stem}: {case['rule']}") for index, case in enumerate(rules)]
    return found


@cache
def read(topic: str) -> dict[str, Any]:
    return json.loads((CASES / f"{topic}.json").read_text())


@pytest.fixture(scope="module")
def evaluated(datasets: dict[str, Any]) -> Any:
    """Evaluates all rules of a topic together, once: what one rule gives must not depend on the others."""

    @cache
    def of(topic: str) -> tuple[Evaluation, dict[str, Any]]:
        described = read(topic)
        rules = ",\n".join(case["rule"] for case in described["rules"])
        others = {name: data for name, data in datasets.items() if name != "primary"}
        text = f"{described.get('preamble', '')}\nRules = [\n{rules}\n]"
        history = (lambda: described["history"]) if "history" in described else None
        by_row = described.get("by_row", False)
        evaluation = evaluate(datasets["primary"], text, others, by_row, history, skip_filtered=True)
        return evaluation, {row["id"]: row for row in evaluation.rows.collect()}

    return of


@pytest.mark.parametrize(("topic", "index"), cases())
def test_rule(evaluated: Any, topic: str, index: int) -> None:
    case = read(topic)["rules"][index]
    evaluation, rows = evaluated(topic)
    rule, outcome = evaluation.rules[index]
    assert rows_with(rows, "DataQualityRulesFail", rule.text) == case["breaks"]
    assert rows_with(rows, "DataQualityRulesSkip", rule.text) == case["skips"]
    kept = "".join(sorted(set("abcdef") - set(case["breaks"]) - set(case["skips"])))
    assert rows_with(rows, "DataQualityRulesPass", rule.text) == kept
    assert RESULTS[outcome.passed] == case["result"], outcome.message
    assert (outcome.message is None) == (case["result"] == "PASS")
    for name, value in case.get("metrics", {}).items():
        assert outcome.metrics[name] == pytest.approx(value, rel=1e-6)
    assert rule.labels == case.get("labels", {})
    assert rule.evaluated == case.get("evaluated", rule.evaluated)


def rows_with(rows: dict[str, Any], column: str, text: str) -> str:
    return "".join(sorted(key for key, row in rows.items() if text in row[column]))


def test_rows_keep_their_columns_and_get_four_more(datasets: dict[str, Any]) -> None:
    rules = 'Rules = [ RowCount > 0, (IsComplete "text") or (IsUnique "id"), IsComplete   "text" ]'
    rows = evaluate(datasets["primary"], rules).rows
    assert rows.columns == [
        *datasets["primary"].columns,
        "DataQualityRulesPass",
        "DataQualityRulesFail",
        "DataQualityRulesSkip",
        "DataQualityEvaluationResult",
    ]
    row = rows.where("id = 'd'").collect()[0]
    assert row["DataQualityRulesPass"] == ['(IsComplete "text") OR (IsUnique "id")']
    assert row["DataQualityRulesFail"] == ['IsComplete "text"']
    assert row["DataQualityRulesSkip"] == ["RowCount > 0"]
    assert row["DataQualityEvaluationResult"] == "Failed"
    assert rows.where("DataQualityEvaluationResult = 'Passed'").count() == 5


def test_rows_that_where_leaves_out_pass_unless_they_are_to_be_skipped(datasets: dict[str, Any]) -> None:
    rule = 'IsComplete "text" where "id <> \'d\'"'
    for skip, column in ((False, "DataQualityRulesPass"), (True, "DataQualityRulesSkip")):
        rows = evaluate(datasets["primary"], f"Rules = [ {rule} ]", skip_filtered=skip).rows
        row = rows.where("id = 'd'").collect()[0]
        lists = ("DataQualityRulesPass", "DataQualityRulesFail", "DataQualityRulesSkip")
        assert {name: row[name] for name in lists} == {name: [rule] if name == column else [] for name in lists}
        assert row["DataQualityEvaluationResult"] == "Passed"


def test_rows_evaluated_before_are_evaluated_anew(datasets: dict[str, Any]) -> None:
    once = evaluate(datasets["primary"], 'Rules = [ IsComplete "text" ]').rows
    twice = evaluate(once, 'Rules = [ IsComplete "id" ]').rows
    assert twice.columns == once.columns
    assert {row["DataQualityEvaluationResult"] for row in twice.collect()} == {"Passed"}


def test_rules_keep_their_order(datasets: dict[str, Any]) -> None:
    texts = ['IsUnique "id"', "RowCount > 0", 'ReferentialIntegrity "text" "other.word" > 0.1', 'ColumnLength "id" = 1']
    texts += ['(IsComplete "id") AND (IsComplete "text")', 'IsComplete "id"', "RowCount > 0", 'ColumnExists "id"']
    others = {"other": datasets["other"]}
    evaluation = evaluate(datasets["primary"], f"Rules = [ {', '.join(texts)} ]", others)
    assert [rule.text for rule, _ in evaluation.rules] == texts


def test_rows_that_are_equal_stay_apart(spark: Any) -> None:
    frame = spark.createDataFrame([("x", 1), ("x", 1), ("y", None)], "key string, number int")
    rules = """Rules = [ CustomSql "select key, number from primary", IsUnique "key",
        ReferentialIntegrity "key" "same.key" = 1.0 ]"""
    evaluation = evaluate(frame, rules, {"same": frame})
    assert [outcome.passed for _, outcome in evaluation.rules] == [True, False, True]
    assert evaluation.rows.count() == 3


def test_an_empty_frame_fails_what_it_cannot_show(spark: Any) -> None:
    frame = spark.createDataFrame([], "key string")
    evaluation = evaluate(frame, 'Rules = [ RowCount > 0, IsComplete "key", ColumnExists "key" ]')
    assert [outcome.passed for _, outcome in evaluation.rules] == [False, False, True]
    assert evaluation.rows.count() == 0


def test_analyzers_report_metrics(datasets: dict[str, Any]) -> None:
    rules = """Rules = [ RowCount > 0 ]
        Analyzers = [ RowCount, Completeness "text", AllStatistics "number", ColumnLength "text",
            ColumnValues "text", ColumnValues "number", Mean "nope" ]"""
    analyzers = evaluate(datasets["primary"], rules).analyzers
    found = {analyzer.text: outcome.metrics for analyzer, outcome in analyzers}
    assert len(found) == 7
    assert found["RowCount"] == {"Dataset.*.RowCount": 6}
    assert found['Completeness "text"'] == {"Column.text.Completeness": pytest.approx(5 / 6)}
    assert found['AllStatistics "number"']["Column.number.Maximum"] == 10
    lengths = {"Column.text.MinimumLength": 0, "Column.text.MaximumLength": 2}
    assert found['ColumnLength "text"'] == found['ColumnValues "text"'] == lengths
    assert found['ColumnValues "number"'] == {"Column.number.Minimum": 1, "Column.number.Maximum": 10}
    statistics = {"Dataset.*.RowCount", "Dataset.*.ColumnCount", "Column.number.Completeness"}
    statistics |= {f"Column.number.{name}" for name in ("Uniqueness", "Entropy", "Mean", "StandardDeviation", "Sum")}
    assert set(found['AllStatistics "number"']) == statistics | {"Column.number.Minimum", "Column.number.Maximum"}
    assert analyzers[-1][1].message == "Input data does not include column nope!"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('Rules = [\n  IsComplete "id",\n  IsComplete id" ]', "line 3, column"),
        ("Rules = [ RowCount >> 3 ]", "line 1, column 21"),
        ('Rules = [ RowCount > 0,\n  IsComplet "id" ]', "line 2, column 3: Rule Type: IsComplet"),
        ('a = ["x"]\nRules = [ ColumnValues "id" in $a, Completeness "id" ]', "line 2, column 36: Unexpected"),
        ('name = "id"\nRules = [ IsComplete $name, Completeness $name ]', "line 2, column 29: Unexpected"),
        ('Rules = [ RowCount > 0 ]\nAnalyzers = [ Mean "id", Meen "id" ]', "line 2, column 26: "),
        ("Rules = [ ]", "line 1, column 1: No rules or analyzers"),
        ("", "line 1, column 1"),
        ("# nothing\n" * 6554, "at most 65536 characters"),
    ],
)
def test_a_ruleset_that_is_no_dqdl_is_refused(datasets: dict[str, Any], text: str, message: str) -> None:
    with pytest.raises(RulesetError, match=message):
        evaluate(datasets["primary"], text)


def test_comments_and_line_ends_of_other_systems(datasets: dict[str, Any]) -> None:
    text = '# it\'s "quoted"\r\nRules = [\r\n  # why\r\n  RowCount > 0, # here\r\n  IsComplete "id"\r\n]\r\n'
    evaluation = evaluate(datasets["primary"], text)
    assert [(rule.text, outcome.passed) for rule, outcome in evaluation.rules] == [
        ("RowCount > 0", True),
        ('IsComplete "id"', True),
    ]
