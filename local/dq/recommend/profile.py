"""What a frame's columns hold, and what Deequ suggests of them.

Deequ: https://github.com/awslabs/deequ/blob/master/src/main/scala/com/amazon/deequ/examples/constraint_suggestion_example.md
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import (
    BooleanType,
    DateType,
    IntegralType,
    NumericType,
    StringType,
    TimestampType,
)

from local.dq.predicates import column

MOST_VALUES = 25  # more are no list that people would keep
DAY = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
# Texts whose letters and digits follow one another in one way have a form; of few texts it may be chance.
FEWEST_OF_A_FORM = 20


@dataclass(frozen=True)
class Suggestion:
    """What one of Deequ's rules suggests of a column; `code` is the constraint as Deequ writes it."""

    rule: str
    code: str

    def share(self) -> float | None:
        """The share of rows that the constraint asks for."""
        found = re.search(r">= ([0-9.]+)", self.code)
        return float(found[1]) if found else None


@dataclass
class Profile:
    """What a column holds. `filled` counts values that are neither NULL nor blank."""

    name: str
    type: str
    kind: str  # number, whole, text, date, boolean or nested
    rows: int
    present: int = 0
    filled: int = 0
    distinct: int = 0
    low: Any = None
    high: Any = None
    mean: float | None = None
    deviation: float | None = None
    shortest: int = 0
    longest: int = 0
    days: int = 0
    values: list[str] = field(default_factory=list)
    form: str = ""
    suggestions: dict[str, Suggestion] = field(default_factory=dict)

    @property
    def full(self) -> bool:
        """Whether each row has a value."""
        return self.rows > 0 and self.filled == self.rows

    @property
    def unique(self) -> bool:
        """Whether each row has a value of its own."""
        return self.full and self.distinct == self.rows > 1

    @property
    def key(self) -> bool:
        """Whether the values may be a key: what is measured, or is a time, differs by chance."""
        return self.unique and self.kind in ("whole", "text")


def profile(frame: DataFrame) -> list[Profile]:
    """The profile of each column. The frame is scanned several times: persist it."""
    rows = frame.count()
    profiles = [Profile(each.name, each.dataType.simpleString(), _kind(each.dataType), rows) for each in frame.schema]
    seen = [each for each in profiles if each.kind != "nested"]
    if not seen or not rows:
        return profiles
    _measure(frame, seen)
    _count_distinct(frame, seen)
    _list_values(frame, seen)
    _find_forms(frame, [each for each in seen if each.kind == "text"])
    suggested = suggestions(frame.select(*(column(each.name) for each in seen)))
    for each, found in zip(seen, suggested, strict=True):
        each.suggestions = found
    return profiles


def suggestions(frame: DataFrame) -> list[dict[str, Suggestion]]:
    """What Deequ suggests of each column, by the name of its rule.

    Deequ addresses columns by expressions, in which a dot or a blank of a name means something: it sees other names.
    """
    plain = frame.toDF(*(f"c{index}" for index in range(len(frame.columns))))
    jvm: Any = frame.sparkSession._jvm
    deequ = jvm.com.amazon.deequ.suggestions
    rules = getattr(deequ, "Rules$").__getattr__("MODULE$").EXTENDED()
    result = deequ.ConstraintSuggestionRunner().onData(plain._jdf).addConstraintRules(rules).run()
    convert = jvm.scala.collection.JavaConverters
    by_column = convert.mapAsJavaMap(result.constraintSuggestions())
    found: list[dict[str, Suggestion]] = []
    for name in plain.columns:
        given = convert.seqAsJavaList(by_column.get(name)) if name in by_column else []
        each = (Suggestion(one.suggestingRule().getClass().getSimpleName(), one.codeForConstraint()) for one in given)
        found.append({one.rule: one for one in each})
    return found


def _kind(kind: Any) -> str:
    kinds = ((IntegralType, "whole"), (NumericType, "number"), (StringType, "text"), (BooleanType, "boolean"))
    found = next((name for each, name in kinds if isinstance(kind, each)), None)
    return found or ("date" if isinstance(kind, (DateType, TimestampType)) else "nested")


def _measure(frame: DataFrame, profiles: Sequence[Profile]) -> None:
    wanted: list[Column] = []
    for index, each in enumerate(profiles):
        for name, value in _measures(each).items():
            wanted.append(value.alias(f"{name}_{index}"))
    found: Any = frame.agg(*wanted).first()
    for index, each in enumerate(profiles):
        for name in _measures(each):
            value = found[f"{name}_{index}"]
            if value is not None:
                setattr(each, name, value)
        # An estimate may be more than there is.
        each.distinct = min(each.distinct, each.present)


def _measures(each: Profile) -> dict[str, Column]:
    value = column(each.name)
    measures = {"present": F.count(value), "filled": F.count(value), "distinct": F.approx_count_distinct(value)}
    if each.kind == "text":
        length = F.length(value)
        measures |= {"filled": F.count(F.when(F.trim(value) != "", 1)), "shortest": F.min(length)}
        measures |= {"longest": F.max(length), "low": F.min(_filled(value)), "high": F.max(value)}
        measures["days"] = F.count(F.when(value.rlike(DAY) & F.to_date(value).isNotNull(), 1))
    if each.kind in ("whole", "number"):
        as_double = value.cast("double")
        finite = F.when(~F.isnan(as_double), as_double)
        measures |= {"low": F.min(value), "high": F.max(value)}
        measures |= {"mean": F.avg(finite), "deviation": F.stddev_pop(finite)}
    if each.kind == "date":
        measures |= {"low": F.min(value), "high": F.max(value)}
    return measures


def _filled(value: Column) -> Column:
    return F.when(F.trim(value) != "", value)


def _count_distinct(frame: DataFrame, profiles: Sequence[Profile]) -> None:
    """Exactly, where the estimate leaves open whether all values differ."""
    for each in profiles:
        if each.full and each.distinct > 0.9 * each.rows:
            each.distinct = frame.select(column(each.name)).distinct().count()


def _list_values(frame: DataFrame, profiles: Sequence[Profile]) -> None:
    few = [each for each in profiles if each.kind == "text" and 0 < each.distinct <= MOST_VALUES]
    if not few:
        return
    sets = [F.collect_set(_filled(column(each.name))).alias(f"v{index}") for index, each in enumerate(few)]
    found: Any = frame.agg(*sets).first()
    for index, each in enumerate(few):
        each.values = sorted(found[f"v{index}"])


def _find_forms(frame: DataFrame, texts: Sequence[Profile]) -> None:
    many = [each for each in texts if each.distinct >= FEWEST_OF_A_FORM]
    if not many:
        return
    shapes = [F.collect_set(_shape(_filled(column(each.name)))).alias(f"s{index}") for index, each in enumerate(many)]
    found: Any = frame.select(*(column(each.name) for each in many)).agg(*shapes).first()
    for index, each in enumerate(many):
        if each.days == each.filled:
            each.form = DAY
        elif len(found[f"s{index}"]) == 1:
            each.form = _pattern(found[f"s{index}"][0], str(each.low), str(each.high))


def _shape(value: Column) -> Column:
    """A text with its letters and digits as classes, runs of which count once; NULL for one of other characters."""
    classes = (("[a-z]+", "a"), ("[A-Z]+", "A"), ("[0-9]+", "9"))
    shape = reduce(lambda text, each: F.regexp_replace(text, *each), classes, value)
    return F.when(F.length(shape) <= 12, shape).otherwise(F.lit("\n"))


def _pattern(shape: str, low: str, high: str) -> str:
    """The pattern of texts that have one shape; what all begin with, but for digits, stands in it as it is."""
    if "9" not in shape or not re.fullmatch(r"[aA9 _./:@-]+", shape):
        return ""
    start = re.match(r"[A-Za-z_]*", _common(low, high))
    literal = start[0] if start else ""
    rest = shape
    if literal and re.fullmatch(r"[a-z]+|[A-Z]+", literal) and shape[:1] in ("a", "A"):
        rest = shape[1:]
        same = all(re.match(f"{literal}(?![A-Za-z])", text) for text in (low, high))
        literal = literal if same else f"{literal}[{'a-z' if shape[0] == 'a' else 'A-Z'}]*"
    else:
        literal = ""
    classes = {"a": "[a-z]+", "A": "[A-Z]+", "9": "[0-9]+", ".": "[.]"}
    return f"^{literal}{''.join(classes.get(each, each) for each in rest)}$"


def _common(one: str, other: str) -> str:
    length = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    return one[:length]
