"""What numbers a condition takes, worked out without data: whether any, whether all."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")

_TAKES: dict[str, Callable[[float, Sequence[float]], bool]] = {
    "GREATER_THAN": lambda value, than: value > than[0],
    "GREATER_THAN_EQUAL_TO": lambda value, than: value >= than[0],
    "LESS_THAN": lambda value, than: value < than[0],
    "LESS_THAN_EQUAL_TO": lambda value, than: value <= than[0],
    "EQUALS": lambda value, than: value == than[0],
    "NOT_EQUALS": lambda value, than: value != than[0],
    "IN": lambda value, than: value in than,
    "NOT_IN": lambda value, than: value not in than,
    # Both ends are left out. https://docs.aws.amazon.com/glue/latest/dg/dqdl.html#dqdl-syntax-rule-expressions
    "BETWEEN": lambda value, than: than[0] < value < than[1],
    "NOT_BETWEEN": lambda value, than: not than[0] < value < than[1],
}


@dataclass(frozen=True)
class Domain:
    """The numbers that can come up: `low` to `high`, both among them, whole ones alone if `whole`."""

    what: str
    low: float = float("-inf")
    high: float = float("inf")
    whole: bool = False

    def witnesses(self, operands: Iterable[float]) -> list[float]:
        """Numbers of the domain, one at least in each stretch in which conditions on `operands` do not change."""
        ends = sorted({*operands, *(end for end in (self.low, self.high) if abs(end) != float("inf"))}) or [0.0]
        if self.whole:
            found = {float(step + offset) for end in ends for step in (int(end // 1),) for offset in (-1, 0, 1, 2)}
        else:
            between = {(one + other) / 2 for one, other in pairwise(ends)}
            found = {*ends, *between, ends[0] - 1, ends[-1] + 1}
        return sorted(value for value in found if self.low <= value <= self.high)


@dataclass(frozen=True)
class Takes:
    """A condition on a number: an operator of DQDL and its operands."""

    operator: str
    operands: tuple[float, ...]

    @classmethod
    def of(cls, operator: str, text: str) -> Takes | None:
        """The condition that the grammar writes as `text`, as in `between0and1500`; None if it has no plain numbers."""
        operands = tuple(map(float, _NUMBER.findall(text)))
        wanted = 2 if "BETWEEN" in operator else 1
        if operator not in _TAKES or len(operands) < wanted or "(" in text or "NULL" in text.upper():
            return None
        return cls(operator, operands)

    def __call__(self, value: float) -> bool:
        return _TAKES[self.operator](value, self.operands)


def takes_all(domain: Domain, condition: Takes) -> bool:
    """Whether the condition takes every number of the domain."""
    return all(map(condition, domain.witnesses(condition.operands)))


def takes_none(domain: Domain, conditions: Sequence[Takes]) -> bool:
    """Whether no number of the domain is taken by all the conditions."""
    witnesses = domain.witnesses(operand for condition in conditions for operand in condition.operands)
    return not any(all(condition(value) for condition in conditions) for value in witnesses)
