"""DQDL rulesets, read with AWS's own grammar (`software.amazon.glue:dqdl`) in the JVM.

Language: https://docs.aws.amazon.com/glue/latest/dg/dqdl.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from local.dq.constants import ConstantError, Resolved, put_constants
from local.dq.labels import LabelError, take_labels
from local.dq.tokens import entries, line_and_column

MAX_RULESET_CHARS = 65_536

ANOMALIES = "DetectAnomalies"

NEGATED = frozenset({"NOT_EQUALS", "NOT_IN", "NOT_BETWEEN", "NOT_MATCHES"})
# The operators for which a NULL passes a ColumnValues rule.
NULL_PASSES = frozenset({"NOT_EQUALS", "NOT_IN"})

# ANTLR reports "line 3:15 …" with the column counted from 0, which no editor does.
_POSITION = re.compile(r"line (\d+):(\d+) ")
_KEYWORD = re.compile("null|empty|whitespaces_only", re.IGNORECASE)
_PARSING = "Parsing Error: "
_EMPTY = "No rules or analyzers provided., "


class RulesetError(ValueError):
    """A ruleset that AWS's grammar does not take. The message names line and column, counted from 1, where it can."""


@dataclass(frozen=True)
class Condition:
    """A rule's condition: kind is number, string, date, duration or size; `java` is the parser's object."""

    kind: str
    operator: str
    keywords: frozenset[str]
    java: Any = field(compare=False)


@dataclass(frozen=True)
class Rule:
    """One rule of a ruleset. `text` is the rule as Glue shows it; `nested` and `operator` belong to composite rules."""

    text: str
    type: str
    parameters: dict[str, str] = field(compare=False)
    condition: Condition | None = field(compare=False)
    threshold: Any = field(compare=False)
    where: str | None = field(compare=False)
    operator: str | None = field(compare=False)
    nested: tuple[Rule, ...] = field(compare=False)
    dynamic: bool = field(compare=False)
    java: Any = field(compare=False, repr=False)
    labels: dict[str, str] = field(compare=False, default_factory=dict)
    # The rule with numbers in place of what looks back; None for a rule that does not.
    evaluated: str | None = field(compare=False, default=None)

    def leaves(self) -> Iterator[Rule]:
        """The simple rules that this rule is made of; the rule itself if it is simple."""
        if not self.nested:
            yield self
        for rule in self.nested:
            yield from rule.leaves()

    @property
    def columns(self) -> list[str]:
        """The columns a rule is about, in the order in which they are written."""
        return [value for name, value in sorted(self.parameters.items()) if name.startswith("TargetColumn")]


@dataclass(frozen=True)
class Analyzer:
    """One analyzer of a ruleset: a metric to report without judging it."""

    text: str
    type: str
    parameters: dict[str, str] = field(compare=False)


@dataclass(frozen=True)
class Ruleset:
    """A parsed ruleset, in the order in which it is written."""

    rules: tuple[Rule, ...]
    analyzers: tuple[Analyzer, ...]


def parse(jvm: Any, text: str) -> Ruleset:
    """Parse DQDL. Raises RulesetError with what the grammar says against it."""
    if len(text) > MAX_RULESET_CHARS:
        raise RulesetError(f"a ruleset has at most {MAX_RULESET_CHARS} characters, this one has {len(text)}")
    # The parser of dqdl 1.0.0 takes a carriage return for an unknown token.
    text = text.replace("\r\n", "\n")
    try:
        labelled = take_labels(text)
        resolved = put_constants(labelled.text)
    except (LabelError, ConstantError) as error:
        line, column = line_and_column(text, error.offset)
        raise RulesetError(f"line {line}, column {column}: {error}") from None
    java = _parse_java(jvm, resolved)
    mapper = jvm.com.fasterxml.jackson.databind.ObjectMapper()
    rules = tuple(replace(_rule(rule, mapper), labels=labelled.of(index)) for index, rule in enumerate(java.getRules()))
    analyzers = tuple(
        Analyzer(each.toString(), each.getRuleType(), _parameters(each, mapper)) for each in java.getAnalyzers()
    )
    return Ruleset(rules, analyzers)


def _parse_java(jvm: Any, resolved: Resolved) -> Any:
    # `software` alone would be taken for a Python name by readers; py4j resolves packages by attribute.
    parser = getattr(jvm, "software").amazon.glue.dqdl.parser.DQDLParser()  # noqa: B009
    try:
        return parser.parse(resolved.text)
    except Exception as error:
        message = _message(error)
        if not _POSITION.search(message):
            raise RulesetError(f"{_refused_place(parser, resolved)}: {message.removeprefix(_PARSING)}") from None
        raise RulesetError(_readable(message, resolved)) from None


def _message(error: Exception) -> str:
    """What the parser says; raises the error itself if it is none of the parser's."""
    java_error = getattr(error, "java_exception", None)
    if java_error is None:
        raise error
    return java_error.getMessage() or java_error.toString()


def _refused_place(parser: Any, resolved: Resolved) -> str:
    """Where the first rule or analyzer stands that is refused by itself: of these the parser names no place."""
    text = resolved.text
    for each in entries(text):
        # What stands before the list defines the constants.
        alone = f"{text[: each.list_start]}{each.list_name} = [ {text[each.start : each.end]} ]"
        try:
            parser.parse(alone)
        except Exception:
            line, column = line_and_column(text, each.start)
            return f"line {line}, column {resolved.column(line, column - 1) + 1}"
    return "line 1, column 1"


def _readable(message: str, resolved: Resolved) -> str:
    message = message.replace(_EMPTY, "").replace(_PARSING, "")

    def place(match: re.Match[str]) -> str:
        line, column = int(match[1]), int(match[2])
        return f"line {line}, column {resolved.column(line, column) + 1}: "

    return _POSITION.sub(place, message)


# Each call into the JVM costs the better part of a millisecond, and a ruleset has dozens of rules. Therefore the
# functions below look at the text first, and ask the JVM only what the text leaves open.


def _rule(java: Any, mapper: Any) -> Rule:
    text, kind = java.toString(), java.getRuleType()
    condition = _condition(java.getCondition())
    threshold = java.getThresholdCondition() if " with threshold " in text else None
    composite = kind == "Composite"
    return Rule(
        text=text,
        type=kind,
        parameters={} if composite else _parameters(java, mapper),
        condition=condition,
        threshold=threshold,
        where=java.getWhereClause() if " where " in text and not composite else None,
        operator=java.getOperator().name() if composite else None,
        nested=tuple(_rule(rule, mapper) for rule in java.getNestedRules()) if composite else (),
        dynamic=kind == ANOMALIES or is_dynamic(condition.java if condition else None) or is_dynamic(threshold),
        java=java,
    )


def _parameters(java: Any, mapper: Any) -> dict[str, str]:
    return json.loads(mapper.writeValueAsString(java.getParameters())) or {}


def _condition(java: Any) -> Condition | None:
    if java is None or not (text := java.getConditionAsString()):
        return None
    kind = _class(java).removesuffix("BasedCondition").lower()
    keywords: frozenset[str] = frozenset()
    if kind == "string" and _KEYWORD.search(text):
        named = (each for each in java.getOperands() if _class(each) == "KeywordStringOperand")
        keywords = frozenset(each.formatOperand().upper() for each in named)
    return Condition(kind, java.getOperator().name(), keywords, java)


def is_dynamic(condition: Any) -> bool:
    """Whether a condition of the parser looks back at earlier results, as `avg(last(3))` does."""
    if condition is None or "(" not in condition.getConditionAsString():
        return False
    return _class(condition) == "NumberBasedCondition" and any(map(_has_function, condition.getOperands()))


def _has_function(operand: Any) -> bool:
    kind = _class(operand)
    if kind == "BinaryExpressionOperand":
        return _has_function(operand.getOperand1()) or _has_function(operand.getOperand2())
    return kind == "FunctionCallOperand"


def _class(java: Any) -> str:
    return java.getClass().getSimpleName()
