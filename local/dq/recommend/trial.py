"""Faults tried on data: which of them a ruleset catches, and by which rule.

Faults of single rows are put into the frame together, each into a row of its own, so that one evaluation shows what
each does. Faults of the whole batch are tried one by one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from local.dq.engine import RULES_FAIL, evaluate
from local.dq.predicates import column
from local.dq.recommend.profile import Profile
from local.dq.recommend.propose import listable
from local.dq.review.checks import columns_of, plain
from local.dq.rules import Rule, parse

NUMBER = "__row_number"
LATER = timedelta(days=400)
# Digits of seconds since 1970 UTC, from 2001 to 2286.
EPOCH = (1_000_000_000, 9_999_999_999)
NO_VALUE = "none of those that were seen"

BLANK_KEY, BLANK, TEXT, RANGE = "blank key", "blank value", "text in a number", "number out of range"
CATEGORY, FUTURE, DUPLICATE = "unknown category", "future date", "equal row"
GONE, FEWER = "missing column", "half of the rows"
ABOUT_EQUAL_ROWS = ("IsUnique", "IsPrimaryKey", "Uniqueness", "CustomSql")
# The kind of fault that breaks a rule about the batch, where another in the same column does not.
SHOWN_BY = {"Mean": RANGE, "CustomSql": FUTURE}


@dataclass
class Trial:
    """A kind of fault: how often it was tried, which rules caught it, and where it went unseen."""

    fault: str
    tried: int = 0
    rules: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)

    def note(self, place: str, caught: Sequence[str]) -> None:
        """Note what caught the fault in a place."""
        self.tried += 1
        self.rules += [rule for rule in caught if rule not in self.rules]
        if not caught:
            self.missed.append(place)

    @property
    def caught(self) -> int:
        """How often it was caught."""
        return self.tried - len(self.missed)


@dataclass(frozen=True)
class Spoiled:
    """A fault of one row: its kind, the column, and what stands there instead."""

    fault: str
    column: str
    value: Column


def generic(frame: DataFrame, text: str, profiles: Sequence[Profile]) -> list[Trial]:
    """Try the kinds of faults that any data can have. The frame is scanned several times: persist it."""
    trials = {name: Trial(name) for name in (BLANK_KEY, BLANK, TEXT, RANGE, CATEGORY, FUTURE)}
    spoiled = [fault for each in profiles if each.filled for fault in _faults(each)]
    _try_rows(frame, text, spoiled, trials)
    later = (_duplicated(frame, text), _without_columns(frame, text, profiles), _halved(frame, text))
    return [*(each for each in trials.values() if each.tried), *later]


def _faults(each: Profile) -> Iterator[Spoiled]:
    """The faults of single rows that a column can have."""
    blank = F.lit("") if each.kind == "text" else F.lit(None)
    if each.full and each.kind != "nested":
        yield Spoiled(BLANK_KEY if each.key else BLANK, each.name, blank)
    if each.kind in ("whole", "number"):
        # What a reader makes of a text in a column of numbers.
        yield Spoiled(TEXT, each.name, F.lit(None))
        if each.high is not None and not each.key:
            yield Spoiled(RANGE, each.name, F.lit(float(each.high) * 10 + 1_000))
    if listable(each):
        yield Spoiled(CATEGORY, each.name, F.lit(NO_VALUE))
    future = datetime.now(UTC) + LATER
    if each.kind == "date":
        yield Spoiled(FUTURE, each.name, F.lit(future.replace(tzinfo=None)))
    elif each.kind == "text" and each.days and each.days == each.filled:
        yield Spoiled(FUTURE, each.name, F.lit(future.date().isoformat()))
    elif each.kind == "whole" and EPOCH[0] <= (each.low or 0) <= (each.high or 0) <= EPOCH[1]:
        yield Spoiled(FUTURE, each.name, F.lit(int(future.timestamp())))


def _try_rows(frame: DataFrame, text: str, faults: Sequence[Spoiled], trials: Mapping[str, Trial]) -> None:
    rows = numbered(frame)
    placed = list(enumerate(faults[: frame.count()], start=1))
    kinds = {field.name: field.dataType for field in frame.schema}
    values: dict[str, Column] = {}
    for number, fault in placed:
        value = values.get(fault.column, column(fault.column))
        spoiled = fault.value.cast(kinds[fault.column])
        values[fault.column] = F.when(column(NUMBER) == number, spoiled).otherwise(value)
    broken = broken_by_row(rows.select(*(_as(values, name) for name in rows.columns)), text, len(placed))
    for number, fault in placed:
        trials[fault.fault].note(fault.column, broken.of(number, fault.column, fault.fault))


def _as(values: Mapping[str, Column], name: str) -> Column:
    return values[name].alias(name) if name in values else column(name)


def numbered(frame: DataFrame) -> DataFrame:
    """The frame with a number for each row, from 1."""
    return frame.withColumn(NUMBER, F.row_number().over(Window.orderBy(F.monotonically_increasing_id())))


@dataclass(frozen=True)
class Broken:
    """The rules that rows break, by number, and those that the batch as a whole breaks."""

    rows: Mapping[int, list[str]]
    whole: Sequence[Rule]

    def of(self, number: int, name: str | None, fault: str = "") -> list[str]:
        """What catches a fault in this row and column: the row's own rules, and the batch's on that column.

        Several faults spoil one column, each in a row: what moves a mean or lies in the future is known of some alone.
        """
        about = [rule for rule in self.whole if name is not None and is_about(rule, name)]
        caught = [rule.text for rule in about if rule.type not in SHOWN_BY or SHOWN_BY[rule.type] == fault]
        return [*self.rows.get(number, []), *caught]


def is_about(rule: Rule, name: str) -> bool:
    """Whether a rule names a column, in its SQL too."""
    named = [plain(each) for leaf in rule.leaves() for each in columns_of(leaf)]
    statement = " ".join(leaf.parameters.get("CustomSqlStatement", "") for leaf in rule.leaves())
    return plain(name) in named or f"`{name}`" in statement


def broken_by_row(rows: DataFrame, text: str, number: int) -> Broken:
    """Evaluate the ruleset on numbered rows, the first `number` of which have faults."""
    rows = rows.cache()
    try:
        evaluation = evaluate(rows, text)
        whole = [rule for rule, outcome in evaluation.rules if outcome.passed is False and outcome.column is None]
        # A rule that allows for a share of bad rows marks them, and passes: then it has caught nothing.
        failed = {rule.text for rule, outcome in evaluation.rules if outcome.passed is False}
        found = evaluation.rows.where(column(NUMBER) <= number).select(NUMBER, RULES_FAIL).collect()
        broken: dict[int, list[str]] = {}
        for row in found:
            broken.setdefault(row[NUMBER], []).extend(rule for rule in row[RULES_FAIL] if rule in failed)
        return Broken(broken, whole)
    finally:
        rows.unpersist()


def failing(frame: DataFrame, text: str, types: Sequence[str] = ()) -> list[Rule]:
    """The rules that a batch as a whole breaks; of these types alone, if any are named."""
    if types:
        rules = [rule.text for rule in parse(frame.sparkSession._jvm, text).rules if rule.type in types]
        if not rules:
            return []
        text = "Rules = [\n" + ",\n".join(rules) + "\n]"
    return [rule for rule, outcome in evaluate(frame, text).rules if outcome.passed is False]


def _duplicated(frame: DataFrame, text: str) -> Trial:
    trial = Trial(DUPLICATE)
    doubled = frame.unionAll(frame.limit(1))
    trial.note("the row", [rule.text for rule in failing(doubled, text, ABOUT_EQUAL_ROWS)])
    return trial


def _halved(frame: DataFrame, text: str) -> Trial:
    trial = Trial(FEWER)
    half = frame.limit(frame.count() // 2)
    trial.note("the batch", [rule.text for rule in failing(half, text, ("RowCount",))])
    return trial


def _without_columns(frame: DataFrame, text: str, profiles: Sequence[Profile]) -> Trial:
    """Two evaluations show all columns: each with the other half of them gone."""
    trial = Trial(GONE)
    for part in (profiles[::2], profiles[1::2]):
        gone = [each.name for each in part]
        left = [name for name in frame.columns if name not in gone]
        if not gone or not left:
            continue
        rules = failing(frame.select(*map(column, left)), text, ("ColumnExists",))
        for name in gone:
            trial.note(name, [rule.text for rule in rules if is_about(rule, name)])
    return trial


def schema_of(frame: DataFrame) -> dict[str, Any]:
    """The types of a frame's columns by name."""
    return {field.name: field.dataType for field in frame.schema}
