"""One evaluation of a ruleset on files of this machine, told step by step; command.py is the process around it."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pyspark import SparkConf, SparkContext
from pyspark.java_gateway import launch_gateway
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from local.dq import predicates
from local.dq.engine import RESULT, ROW_LEVEL_COLUMNS, RULES_FAIL, Evaluation, evaluate
from local.dq.files import Data, DataError, check, read
from local.dq.process import Events
from local.dq.rules import RulesetError, parse
from local.runtime.jvm import Jvm


class OnFiles:
    """An evaluation; what it does and finds is told to `events`."""

    def __init__(self, arguments: argparse.Namespace, events: Events) -> None:
        self._arguments = arguments
        self._tell = events.tell

    def run(self, jvm: Jvm, conf: SparkConf) -> None:
        """Evaluate on a JVM that is starting, and tell the result. Raises RulesetError, DataError."""
        rules = self._rules()
        sources = dict(self._arguments.source)
        for path in (self._arguments.data, *sources.values()):
            check(path)
        kept = self._arguments.history
        past = _past(kept) if kept else None
        self._tell(step="Start", detail="Spark")
        jvm.connect()
        gateway = launch_gateway(conf)
        parse(gateway.jvm, rules)
        spark = SparkSession(SparkContext(gateway=gateway, conf=conf))
        spark.sparkContext.setLogLevel("ERROR")
        self._tell(step="Read", detail=self._arguments.data.name)
        data = self._read(spark, self._arguments.data)
        others = {alias: self._read(spark, path).frame for alias, path in sources.items()}
        self._tell(step="Evaluate")
        evaluation = evaluate(data.frame, rules, others, self._arguments.by_row, None if past is None else lambda: past)
        evaluation.judged.persist()
        result = _result(evaluation, self._arguments.limit)
        if self._arguments.rows:
            self._tell(step="Write", detail=self._arguments.rows.name)
            _write(evaluation, self._arguments.rows)
        if kept:
            _keep(kept, evaluation)
        self._tell(result=result)

    def _rules(self) -> str:
        path = self._arguments.rules
        try:
            return path.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError as error:
            raise RulesetError(f"byte {error.start + 1} is no UTF-8") from None

    def _read(self, spark: SparkSession, path: Path) -> Data:
        data = read(spark, path, self._arguments.text)
        for note in data.notes:
            self._tell(note=f"{path}: {note}")
        return data


def _result(evaluation: Evaluation, limit: int) -> dict[str, Any]:
    """The evaluation for programs and people.

    `rows.failed` counts rows that break a rule; `broken_by` of a rule, how many rows break it (None: it is about no
    row); `failing` has failing rows as texts by column, with the rules they break: `limit` at most, 0 for all, less
    for none.
    """
    broken, total, failed = _counts(evaluation)
    rules = [
        {
            "rule": rule.text,
            "outcome": "Passed" if outcome.passed else "Failed",
            "reason": outcome.message,
            "metrics": outcome.metrics,
            "labels": rule.labels,
            "broken_by": broken.get(outcome.column) if outcome.column else None,
            "evaluated": outcome.passed is not None,
        }
        for rule, outcome in evaluation.rules
    ]
    analyzers = [
        {"analyzer": analyzer.text, "reason": outcome.message, "metrics": outcome.metrics}
        for analyzer, outcome in evaluation.analyzers
    ]
    passed = sum(rule["outcome"] == "Passed" for rule in rules)
    return {
        "passed": passed,
        "failed": len(rules) - passed,
        "rules": rules,
        "analyzers": analyzers,
        "rows": {"total": total, "failed": failed},
        "failing": _told(evaluation, limit) if failed and limit >= 0 else [],
    }


def _counts(evaluation: Evaluation) -> tuple[dict[str, int], int, int]:
    """By a rule's column how many rows break it; all rows; the rows that break a rule. One scan."""
    columns = list(dict.fromkeys(outcome.column for _, outcome in evaluation.rules if outcome.column))
    judged = [predicates.column(name) for name in columns]
    broken = [F.count(F.when(~value, 1)) for value in judged]
    kept = F.lit(True)
    for value in judged:
        kept = kept & F.coalesce(value, F.lit(True))
    found = evaluation.judged.agg(F.count(F.lit(1)), F.count(F.when(~kept, 1)), *broken).first()
    assert found is not None
    return dict(zip(columns, found[2:], strict=True)), found[0], found[1]


def _failing(evaluation: Evaluation) -> DataFrame:
    return evaluation.rows.where(F.col(RESULT) == "Failed")


def _told(evaluation: Evaluation, limit: int) -> list[dict[str, Any]]:
    rows = _failing(evaluation)
    data = [name for name in rows.columns if name not in ROW_LEVEL_COLUMNS]
    texts = F.array(*(predicates.column(name).cast("string") for name in data))
    wanted = rows.select(texts.alias("values"), F.col(RULES_FAIL).alias("rules"))
    return [
        {"values": [[name, value] for name, value in zip(data, row["values"], strict=True)], "rules": row["rules"]}
        for row in (wanted.limit(limit) if limit else wanted).collect()
    ]


def _write(evaluation: Evaluation, path: Path) -> None:
    """Write the failing rows as JSON lines; the file is there whole or not at all."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with partial.open("w", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in _lines(_failing(evaluation)))
        partial.replace(path)
    except OSError as error:
        raise DataError(f"{path}: cannot be written: {error.strerror}") from None
    finally:
        partial.unlink(missing_ok=True)


def _lines(rows: DataFrame) -> Iterator[str]:
    every = F.struct(*(predicates.column(name) for name in rows.columns))
    for row in rows.select(F.to_json(every, {"ignoreNullFields": "false"})).toLocalIterator():
        yield row[0]


def _past(path: Path) -> list[dict[str, float]]:
    """The metrics that earlier evaluations have kept, the oldest first. Raises DataError."""
    if not path.exists():
        return []
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            metrics = json.loads(line)["metrics"]
            found.append({str(name): float(value) for name, value in metrics.items()})
        except (ValueError, KeyError, TypeError, AttributeError):
            message = 'want {"at": time, "metrics": {name: number}} on each line, as `pipeline dq --history` writes it'
            raise DataError(f"{path}, line {number}: {message}") from None
    return found


def _keep(path: Path, evaluation: Evaluation) -> None:
    """Add this evaluation's metrics to those that later ones look back at. Raises DataError."""
    judged = [outcome for _, outcome in [*evaluation.rules, *evaluation.analyzers]]
    metrics = {name: value for outcome in judged for name, value in outcome.metrics.items()}
    entry = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "metrics": metrics}
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")
    except OSError as error:
        raise DataError(f"{path}: cannot be written: {error.strerror}") from None
