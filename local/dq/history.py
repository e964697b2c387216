"""Rules that look back at earlier results: `RowCount > avg(last(3))`, `DetectAnomalies "RowCount"`.

The numbers are put in place of what looks back, and the rule that results is evaluated like any other.
https://docs.aws.amazon.com/glue/latest/dg/dqdl.html#dqdl-dynamic-rules
https://docs.aws.amazon.com/glue/latest/dg/dqdl-rule-types-DetectAnomalies.html
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

Metrics = dict[str, float]

# The documentation wants "enough data" and does not say how an anomaly is found. Here: beyond three standard
# deviations of the earlier values, of which there are at least three.
LEAST_RESULTS = 3
DEVIATIONS = 3.0

# The metric of a rule type, with its columns in place of {}.
METRICS = {
    "RowCount": "Dataset.*.RowCount",
    "ColumnCount": "Dataset.*.ColumnCount",
    "Completeness": "Column.{}.Completeness",
    "Uniqueness": "Column.{}.Uniqueness",
    "UniqueValueRatio": "Column.{}.UniqueValueRatio",
    "DistinctValuesCount": "Column.{}.DistinctValuesCount",
    "Entropy": "Column.{}.Entropy",
    "Mean": "Column.{}.Mean",
    "Sum": "Column.{}.Sum",
    "StandardDeviation": "Column.{}.StandardDeviation",
    "ColumnCorrelation": "Multicolumn.{}.ColumnCorrelation",
    "CustomSql": "Dataset.*.CustomSQL",
}

AGGREGATES: dict[str, Callable[[Sequence[float]], float]] = {
    "avg": statistics.fmean,
    "average": statistics.fmean,
    "mean": statistics.fmean,
    "median": statistics.median,
    "min": min,
    "max": max,
    "sum": sum,
    "std": lambda values: statistics.pstdev(values),
}
WRITTEN = {
    "BETWEEN": "between {} and {}",
    "NOT_BETWEEN": "not between {} and {}",
    "GREATER_THAN": "> {}",
    "GREATER_THAN_EQUAL_TO": ">= {}",
    "LESS_THAN": "< {}",
    "LESS_THAN_EQUAL_TO": "<= {}",
    "EQUALS": "= {}",
    "NOT_EQUALS": "!= {}",
}


class HistoryError(ValueError):
    """A rule that looks back in a way that cannot be answered."""


@dataclass(frozen=True)
class History:
    """The metrics of earlier evaluations of the same context, the oldest first."""

    results: Sequence[Metrics]

    def values(self, metric: str) -> list[float]:
        """A metric's earlier values, the oldest first; names are compared without regard to case."""
        wanted = metric.lower()
        found = ((name, value) for result in self.results for name, value in result.items())
        return [value for name, value in found if name.lower() == wanted]


def metric_of(kind: str, columns: Sequence[str]) -> str:
    """The name under which results keep what a rule type measures. Raises HistoryError for one without a history."""
    if kind not in METRICS:
        raise HistoryError(f"{kind} has no metric to look back at; known are {', '.join(METRICS)}")
    return METRICS[kind].format(",".join(columns))


def static_condition(condition: Any, metric: str, history: History) -> str:
    """A number condition of the parser with numbers in place of what looks back, as DQDL. Raises HistoryError."""
    numbers = [_text(_number(operand, metric, history)) for operand in condition.getOperands()]
    operator = condition.getOperator().name()
    if operator in ("IN", "NOT_IN"):
        return f"{'not ' if operator == 'NOT_IN' else ''}in [{', '.join(numbers)}]"
    return WRITTEN[operator].format(*numbers)


def _text(number: float) -> str:
    """A number as DQDL takes it: without an exponent."""
    return f"{number:.12f}".rstrip("0").rstrip(".")


def _number(operand: Any, metric: str, history: History) -> float:
    value = _value(operand, metric, history)
    if not isinstance(value, list):
        return value
    if len(value) == 1:
        return value[0]
    raise HistoryError("last(k) gives several values; put them together, as avg(last(k)) does")


def _value(operand: Any, metric: str, history: History) -> float | list[float]:
    kind = operand.getClass().getSimpleName()
    if kind == "AtomicNumberOperand":
        return float(operand.toString())
    if kind == "BinaryExpressionOperand":
        one, other = (_number(each, metric, history) for each in (operand.getOperand1(), operand.getOperand2()))
        return _calculated(operand.getOperator(), one, other)
    if kind == "FunctionCallOperand":
        return _called(operand.getFunctionName(), list(operand.getOperands()), metric, history)
    raise HistoryError(f"{operand.toString()} is no number")


def _calculated(operator: str, one: float, other: float) -> float:
    if operator == "/" and other == 0:
        raise HistoryError("the condition divides by zero")
    return {"+": one + other, "-": one - other, "*": one * other, "/": one / other if other else 0.0}[operator]


def _called(name: str, operands: list[Any], metric: str, history: History) -> float | list[float]:
    if name == "last":
        return _last(operands, metric, history)
    values = [_value(operand, metric, history) for operand in operands]
    if name == "index" and len(values) == 2 and isinstance(values[0], list) and isinstance(values[1], float):
        return _indexed(values[0], values[1])
    if name == "abs" and len(values) == 1 and isinstance(values[0], float):
        return abs(values[0])
    if name in AGGREGATES and values:
        every = [number for value in values for number in (value if isinstance(value, list) else [value])]
        return float(AGGREGATES[name](every))
    raise HistoryError(
        f"the function {name} with {len(values)} operands is not known; known are last, index, abs, "
        f"{', '.join(AGGREGATES)}"
    )


def _last(operands: list[Any], metric: str, history: History) -> list[float]:
    """The most recent values, the latest first; fewer than asked for if there are no more, and 0 if there are none.

    https://docs.aws.amazon.com/glue/latest/dg/dqdl.html#dqdl-dynamic-rules
    """
    asked = float(operands[0].toString()) if operands else 1.0
    if len(operands) > 1 or asked < 1 or asked != int(asked):
        raise HistoryError("last takes one whole number, 1 or more")
    return history.values(metric)[::-1][: int(asked)] or [0.0]


def _indexed(values: list[float], place: float) -> float:
    if not 0 <= place < len(values):
        raise HistoryError(f"index {place:.0f} of {len(values)} earlier values")
    return values[int(place)]


@dataclass(frozen=True)
class Expectation:
    """What a metric's value is expected to be; None for both where the earlier results are too few."""

    lower: float | None
    upper: float | None

    def holds(self, value: float) -> bool:
        """Whether a value is none to wonder at."""
        return self.lower is None or self.upper is None or self.lower <= value <= self.upper


def expectation(values: Sequence[float]) -> Expectation:
    """What earlier values of a metric let expect."""
    if len(values) < LEAST_RESULTS:
        return Expectation(None, None)
    middle, spread = statistics.fmean(values), DEVIATIONS * statistics.stdev(values)
    return Expectation(middle - spread, middle + spread)
