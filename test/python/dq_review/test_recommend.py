"""Rulesets proposed from data: what they hold, that the data pass them, and what they catch."""

from __future__ import annotations

import csv
import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from running_cloud import ROOT

from local.dq.engine import evaluate
from local.dq.files import read
from local.dq.recommend.planted import dataset_of, planted
from local.dq.recommend.profile import profile
from local.dq.recommend.propose import propose
from local.dq.recommend.ruleset import ruleset, verify
from local.dq.recommend.trial import Trial, generic
from local.dq.review.sample import load

pytestmark = pytest.mark.spark

ROWS = 120


def films() -> list[dict[str, Any]]:
    """Films with a key, a list of values, numbers with gaps, days, odd names and an empty column."""
    return [
        {
            "imdb_id": f"tt{1_000_000 + 37 * number}",
            "Title (en)": f'Film "{number}", or so',
            "a.b": ("G", "PG", "R")[number % 3],
            "größe": None if number % 4 == 0 else 80 + number % 50,
            "score": round(1 + (number * 7 % 90) / 10, 1),
            "released": (date(2001, 1, 1) + timedelta(days=31 * number)).isoformat(),
            "empty": None,
        }
        for number in range(ROWS)
    ]


def as_csv(path: Path, rows: list[dict[str, Any]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def as_json(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("\n".join(json.dumps(row) for row in rows))
    return path


def as_parquet(path: Path, rows: list[dict[str, Any]]) -> Path:
    table = pa.Table.from_pylist([{**row, "released": date.fromisoformat(row["released"])} for row in rows])
    pq.write_table(table, path)
    return path


class Recommended:
    """A recommendation for a file, with the steps that the command takes."""

    def __init__(self, spark: Any, path: Path) -> None:
        self.frame = read(spark, path).frame.cache()
        self.profiles = profile(self.frame)
        self.kept = verify(spark._jvm, self.frame, propose(self.profiles, self.frame.count(), False))
        self.text = ruleset(path.name, self.profiles, self.kept.proposals)

    def rules(self, name: str) -> list[str]:
        """The rules about a column, but for that it exists."""
        return [each.rule for each in self.kept.proposals if each.column == name and each.why]

    def trials(self) -> dict[str, Trial]:
        return {each.fault: each for each in generic(self.frame, self.text, self.profiles)}


@pytest.fixture(scope="module")
def of_csv(spark: Any, tmp_path_factory: pytest.TempPathFactory) -> Recommended:
    return Recommended(spark, as_csv(tmp_path_factory.mktemp("csv") / "films.csv", films()))


@pytest.mark.parametrize("write", [as_csv, as_json, as_parquet])
def test_the_data_pass_what_is_proposed(spark: Any, tmp_path: Path, write: Any) -> None:
    suffix = {as_csv: "csv", as_json: "jsonl", as_parquet: "parquet"}[write]
    path = write(tmp_path / f"films.{suffix}", films())
    recommended = Recommended(spark, path)
    evaluation = evaluate(read(spark, path).frame, recommended.text)
    assert [(rule.text, outcome.message) for rule, outcome in evaluation.rules if not outcome.passed] == []
    assert len(evaluation.rules) == len(recommended.kept.proposals) > 20


def test_rules_say_what_the_data_hold(of_csv: Recommended) -> None:
    assert of_csv.rules("imdb_id") == [
        'ColumnLength "imdb_id" > 0',
        'IsUnique "imdb_id"',
        'ColumnValues "imdb_id" matches "^tt[0-9]+$"',
    ]
    assert 'ColumnValues "a.b" in ["G", "PG", "R"]' in [each.rule for each in propose(of_csv.profiles, ROWS, False)]
    assert 'ColumnValues "score" >= 0' in of_csv.rules("score")
    assert "RowCount > 60" in of_csv.text
    assert "current_date()" in "".join(of_csv.rules("released"))
    assert of_csv.rules("empty") == []


def test_each_rule_has_a_comment_that_says_why(of_csv: Recommended) -> None:
    lines = of_csv.text.splitlines()
    assert "# empty: empty; nothing is known of it." in lines
    assert "    # All 120 values differ: it may be a key." in lines
    rules = [at for at, line in enumerate(lines) if line.startswith("    ") and not line.lstrip().startswith("#")]
    bare = [lines[at] for at in rules if not lines[at - 1].lstrip().startswith("#") and "ColumnExists" not in lines[at]]
    assert bare == []
    assert all(line.isascii() for line in lines if line.lstrip().startswith("#"))


def test_what_the_data_do_not_pass_is_left_out_with_the_reason(spark: Any, of_csv: Recommended) -> None:
    from local.dq.recommend.propose import Proposal

    wrong = [Proposal("RowCount > 500", "", "batch"), Proposal("RowCount >> 5", "", "batch")]
    kept = verify(spark._jvm, of_csv.frame, [*wrong, Proposal("RowCount > 5", "", "batch")])
    assert [each.rule for each in kept.proposals] == ["RowCount > 5"]
    reasons = {each.rule: why for each, why in kept.left_out}
    assert reasons["RowCount > 500"].startswith("the data do not pass it")
    assert reasons["RowCount >> 5"].startswith("AWS's grammar refuses it")


def test_faults_of_any_data_are_tried(of_csv: Recommended) -> None:
    trials = of_csv.trials()
    assert {"blank key", "text in a number", "unknown category", "future date", "equal row"} <= trials.keys()
    assert trials["blank key"].rules[0] == 'ColumnLength "imdb_id" > 0'
    assert trials["equal row"].rules[0] == 'IsUnique "imdb_id"'
    assert trials["half of the rows"].rules == ["RowCount > 60"]
    assert (trials["missing column"].tried, trials["missing column"].missed) == (7, [])
    # A column with gaps may have one more: that goes unseen, and is said so.
    assert trials["text in a number"].missed == ["größe"]


def test_a_fault_that_no_rule_sees_is_not_called_caught(of_csv: Recommended) -> None:
    trials = {each.fault: each for each in generic(of_csv.frame, "Rules = [ RowCount > 1 ]", of_csv.profiles)}
    assert {each.caught for each in trials.values()} == {0}


def test_the_project_s_faults_are_tried_on_its_datasets(spark: Any, tmp_path: Path) -> None:
    faults = load(ROOT / "sample-data" / "faults.py")
    rows = [
        {"user_id": str(1 + number // 5), "imdb_id": f"tt{1000000 + number}", "rating": str(number % 9 / 2 + 0.5)}
        | {"rated_at": str(1_500_000_000 + 1000 * number)}
        for number in range(60)
    ]
    path = as_csv(tmp_path / "ratings.csv", rows)
    recommended = Recommended(spark, path)
    dataset = dataset_of(faults, recommended.frame.columns)
    assert dataset == "ratings"
    found = planted(recommended.frame, read(spark, path, True).frame, recommended.text, faults, dataset)
    trials = {each.fault: each for each in found}
    kinds = {fault.name for fault in (*faults.ROW_FAULTS[dataset], *faults.BATCH_FAULTS[dataset])}
    assert trials.keys() == kinds
    assert trials["missing_user"].rules[0] == 'IsComplete "user_id"'
    assert trials["rating_out_of_scale"].caught == 1
    assert trials["column_gone"].missed == []
    assert trials["too_many_fields"].caught == 0


@pytest.mark.parametrize(
    "rows",
    [
        [{"only": "x"}],
        [{"a": None, "b": None}] * 3,
        [{"a": 1, "b": 'say "\\n"'}, {"a": 1, "b": 'say "\\n"'}],
        [{"tags": ["x"], "who": {"name": "y"}, "a": True}] * 40,
    ],
)
def test_odd_data_get_rules_that_they_pass(spark: Any, tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    recommended = Recommended(spark, as_json(tmp_path / "odd.jsonl", rows))
    assert recommended.kept.left_out == [] or all(why for _, why in recommended.kept.left_out)
    assert all(outcome.passed for _, outcome in evaluate(recommended.frame, recommended.text).rules)
    assert recommended.trials()["half of the rows"].tried == 1
