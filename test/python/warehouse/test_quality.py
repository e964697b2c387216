"""Rows that were set aside and the results of rules, as the warehouse keeps them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from running_cloud import RunningCloud
from warehouse.support import Warehouse, of_run

FILMS = {"movies": [{"imdb_id": "tt0000001", "title": "One"}]}
RATINGS = {"ratings": [{"user_id": 1, "imdb_id": "tt0000001", "rating": 4.5, "rated_at": "2024-01-01T10:00:00"}]}


@pytest.fixture
def warehouse(cloud: RunningCloud) -> Warehouse:
    """A warehouse with the schema applied."""
    return Warehouse(cloud).create().apply_schema()


def load(warehouse: Warehouse, day: str, **bad: list[str]) -> None:
    """Load good rows and, of each named dataset, rows that broke these rules."""
    for dataset, rules in bad.items():
        warehouse.stage(dataset, {"movies": FILMS, "ratings": RATINGS}[dataset], rules)
    warehouse.done(*warehouse.load_statements(*bad), **of_run(day))


def quarantine(warehouse: Warehouse) -> list[list]:
    return warehouse.rows("select dataset, ingest_date, rules_broken from analytics.quarantine order by 1, 2, 3")


def test_a_bad_row_keeps_its_columns_rules_batch_and_run(warehouse: Warehouse) -> None:
    load(warehouse, "2024-01-01", movies=["rule a\nrule b"])

    assert warehouse.rows(
        'select dataset, ingest_date, execution, rules_broken, q.row."any"::varchar, row from analytics.quarantine as q'
    ) == [
        [
            "movies",
            "2024-01-01",
            "run-2024-01-01",
            "rule a\nrule b",
            "column",
            '{"any":"column","rules_broken":"rule a\\nrule b"}',
        ]
    ]


def test_a_date_run_again_replaces_its_bad_rows_and_no_others(warehouse: Warehouse) -> None:
    load(warehouse, "2024-01-01", movies=["a", "b"], ratings=["c"])
    load(warehouse, "2024-01-02", movies=["d"])
    load(warehouse, "2024-01-01", movies=["b"])

    kept = [["movies", "2024-01-01", "b"], ["movies", "2024-01-02", "d"], ["ratings", "2024-01-01", "c"]]
    assert quarantine(warehouse) == kept


def test_a_batch_without_bad_rows_empties_its_quarantine(warehouse: Warehouse) -> None:
    load(warehouse, "2024-01-01", movies=["a"])
    load(warehouse, "2024-01-01", movies=[])

    assert quarantine(warehouse) == []


def test_what_is_staged_of_a_dataset_that_failed_stays_out(warehouse: Warehouse) -> None:
    warehouse.stage("ratings", RATINGS, ["staged, then failed"])
    load(warehouse, "2024-01-01", movies=["a"])

    assert quarantine(warehouse) == [["movies", "2024-01-01", "a"]]


# Results of rules -----------------------------------------------------------------------------------------------------


def keep(warehouse: Warehouse, execution: str, *documents: dict[str, Any]) -> None:
    """Keep the results of a run, as the workflow does with the documents it wrote."""
    for number, document in enumerate(documents):
        key = f"reports/quality/execution={execution}/{number}.json"
        warehouse.put(key, json.dumps({"execution": execution, **document}).encode())
    warehouse.done(*(warehouse.fill(sql, execution_name=execution) for sql in warehouse.plan["results"]))


def metric(name: str) -> dict[str, Any]:
    """A number that a rule measured."""
    return {"name": f"Dataset.*.{name}", "value": 7.5}


def document(day: str, at: str, **results: str) -> dict[str, Any]:
    """The document of a gate."""
    return {
        "dataset": "movies",
        "ruleset": "gate",
        "ingest_date": day,
        "evaluated_at": f"{at} 04:00:00",
        "score": 0.5,
        "rules": [
            {"position": number, "rule": f"{name} > 1", "result": result, "reason": None, "metrics": [metric(name)]}
            for number, (name, result) in enumerate(results.items(), start=1)
        ],
    }


def test_every_rule_of_every_run_is_kept(warehouse: Warehouse) -> None:
    keep(warehouse, "first", document("2024-01-01", "2024-01-02", RowCount="PASS", ColumnCount="FAIL"))
    keep(warehouse, "second", document("2024-01-01", "2024-01-03", RowCount="PASS"))
    keep(warehouse, "second", document("2024-01-01", "2024-01-03", RowCount="PASS"))

    everything = (
        "select execution, position, rule, result, score from audit.rule_results order by evaluated_at, position"
    )
    assert warehouse.rows(everything) == [
        ["first", 1, "RowCount > 1", "PASS", 0.5],
        ["first", 2, "ColumnCount > 1", "FAIL", 0.5],
        ["second", 1, "RowCount > 1", "PASS", 0.5],
    ]


def test_analysts_see_the_newest_results_of_each_batch(warehouse: Warehouse) -> None:
    keep(warehouse, "first", document("2024-01-01", "2024-01-02", RowCount="FAIL", ColumnCount="FAIL"))
    keep(warehouse, "other", document("2024-01-05", "2024-01-06", RowCount="PASS"))
    keep(warehouse, "second", document("2024-01-01", "2024-01-03", RowCount="PASS"))

    newest = "select ingest_date, rule, result, execution from analytics.rule_results order by ingest_date"
    assert warehouse.rows(newest) == [
        ["2024-01-01", "RowCount > 1", "PASS", "second"],
        ["2024-01-05", "RowCount > 1", "PASS", "other"],
    ]
    numbers = "select ingest_date, rule, metric, value from analytics.rule_metrics order by ingest_date"
    assert warehouse.rows(numbers) == [
        ["2024-01-01", "RowCount > 1", "Dataset.*.RowCount", 7.5],
        ["2024-01-05", "RowCount > 1", "Dataset.*.RowCount", 7.5],
    ]
