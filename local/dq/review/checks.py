"""What a ruleset tells against itself, without data: conditions, types, columns, and what a rule type can say.

Each check takes a `Subject`, a parsed ruleset with what is known of its table, and gives findings.
"""

from __future__ import annotations

import difflib
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from local.dq.review.findings import Finding
from local.dq.review.ranges import Domain, Takes, takes_all, takes_none
from local.dq.review.source import Place, RuleFile
from local.dq.rules import NULL_PASSES, Rule
from local.dq.tokens import entries, line_and_column

SHARE = Domain("a share", 0, 1)
COUNT = Domain("a count", 0, whole=True)
AT_LEAST_ZERO = Domain("a number that is never negative", 0)
# What a rule type measures. https://docs.aws.amazon.com/glue/latest/dg/dqdl-rule-types.html
MEASURES = {
    "RowCount": COUNT,
    "ColumnCount": COUNT,
    "DistinctValuesCount": COUNT,
    "ColumnLength": COUNT,
    "Completeness": SHARE,
    "Uniqueness": SHARE,
    "UniqueValueRatio": SHARE,
    "ReferentialIntegrity": SHARE,
    "SchemaMatch": SHARE,
    "DatasetMatch": SHARE,
    "RowCountMatch": AT_LEAST_ZERO,
    "StandardDeviation": AT_LEAST_ZERO,
    "Entropy": AT_LEAST_ZERO,
    "ColumnCorrelation": Domain("a correlation", -1, 1),
    "Mean": Domain("a mean"),
    "Sum": Domain("a sum"),
}
WHOLE = {"tinyint": 8, "smallint": 16, "int": 32, "bigint": 64}
NUMBERS = (*WHOLE, "float", "double", "decimal")
TIMES = ("date", "timestamp")
TEXTS = ("string", "varchar", "char")
# "DQDL doesn't currently support nested or list-type column data." (the same page)
NESTED = ("array", "map", "struct", "binary")
NEEDS = {
    "Mean": NUMBERS,
    "Sum": NUMBERS,
    "StandardDeviation": NUMBERS,
    "ColumnCorrelation": NUMBERS,
    "ColumnLength": TEXTS,
    "DataFreshness": TIMES,
}
# The rule types whose outcome is known for each row. Of what AWS's page lists further, ReferentialIntegrity passes
# every row in the open engine, and CustomSql joins rows pair by pair.
ABOUT_ROWS = ("ColumnValues", "ColumnLength", "IsComplete", "IsUnique", "IsPrimaryKey", "Completeness", "Uniqueness")
ABOUT_ROWS += ("UniqueValueRatio", "DataFreshness")
PASSES_UNSEEN = ("ReferentialIntegrity", "ColumnDataType")
SAMPLE_TEXTS = ("", " ", "a", "Z", "0", "-7", "3.5", "true", "2026-01-31", "\u00e9", "~|;", "a b\tc", "x" * 300)


@dataclass
class Subject:
    """A parsed rule file and what is known of its table.

    `columns` maps names, in lower case, to Glue types; None where no sample tells. `texts` are the columns of a CSV as
    they came, where a blank is an empty text. `others` are the columns of further tables by alias.
    """

    file: RuleFile
    kind: Literal["gate", "rows", "any"]
    rules: list[tuple[Rule, Place]]
    columns: Mapping[str, str] | None = None
    texts: frozenset[str] = frozenset()
    others: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def leaves(self) -> Iterator[tuple[Rule, Place]]:
        """The simple rules, with the places of those they are part of."""
        for rule, place in self.rules:
            for leaf in rule.leaves():
                yield leaf, place

    def finding(self, kind: str, rule: Rule, place: Place, why: str) -> Finding:
        """A finding on a rule of this file."""
        return Finding(kind, self.file.name, place.line, rule.text, why)

    def type_of(self, column: str) -> str | None:
        """The type of a column without its parameters; None if it is not known."""
        kind = (self.columns or {}).get(plain(column))
        return re.split(r"[(<]", kind)[0] if kind else None


def plain(column: str) -> str:
    """A column's name as Glue compares it: in lower case, without quotes."""
    return column.strip().strip("`").lower()


def columns_of(rule: Rule) -> list[str]:
    """The columns of the table that a simple rule names outside of SQL."""
    named = rule.parameters.get("PrimaryDatasetColumns", "")
    return [*rule.columns, *(name.strip() for name in named.split(",") if name.strip())]


def check(subject: Subject) -> Iterator[Finding]:
    """All findings that need no data."""
    for each in CHECKS:
        yield from each(subject)


def unknown_columns(subject: Subject) -> Iterator[Finding]:
    """Columns, and aliases of further tables, that are not there."""
    for rule, place in subject.leaves():
        if subject.columns is not None:
            for name in columns_of(rule):
                if plain(name) not in subject.columns:
                    why = f"The table has no column {name}{_nearest(name, subject.columns)}."
                    yield subject.finding("unknown-column", rule, place, why)
        if subject.columns is not None and (why := _unknown_reference(subject, rule)):
            yield subject.finding("unknown-column", rule, place, why)


def _unknown_reference(subject: Subject, rule: Rule) -> str:
    alias = rule.parameters.get("ReferenceDatasetAlias", "")
    names: list[str] = []
    if reference := rule.parameters.get("ReferenceDatasetColumns", ""):
        alias, _, columns = reference.strip('"').partition(".")
        names = [name.strip() for name in columns.strip("{}").split(",")]
    if not alias:
        return ""
    if alias not in subject.others:
        known = ", ".join(sorted(subject.others)) or "none"
        return f"No further table is known as {alias}; the tables of datasets that this one refers to: {known}."
    missing = [name for name in names if plain(name) not in subject.others[alias]]
    return f"{alias} has no column {missing[0]}{_nearest(missing[0], subject.others[alias])}." if missing else ""


def _nearest(name: str, known: Mapping[str, str]) -> str:
    near = difflib.get_close_matches(plain(name), list(known), 1, 0.6)
    return f"; the nearest is {near[0]}" if near else ""


def wrong_types(subject: Subject) -> Iterator[Finding]:
    """Conditions that do not fit the type of their column."""
    for rule, place in subject.leaves():
        for name in columns_of(rule):
            kind = subject.type_of(name)
            why = _misfit(rule, name, kind) if kind else ""
            if why:
                yield subject.finding("wrong-type", rule, place, why)


def _misfit(rule: Rule, name: str, kind: str) -> str:
    if kind in NESTED and rule.type != "ColumnExists":
        return f"{name} is of type {kind}, and rules cannot look into it."
    wanted = NEEDS.get(rule.type)
    if wanted is not None and kind not in wanted:
        return f"{rule.type} is for columns of type {' or '.join(wanted)}; {name} is of type {kind}."
    if rule.type != "ColumnValues" or rule.condition is None:
        return ""
    asked, text = rule.condition.kind, rule.condition.java.getConditionAsString()
    if asked == "number" and "NULL" not in text.upper() and kind not in NUMBERS:
        return f"{name} is of type {kind}, and the condition compares with a number."
    if asked == "date" and kind not in TIMES:
        return f"{name} is of type {kind}, and the condition compares with a date."
    if asked == "string" and kind not in (*TEXTS, "boolean") and not rule.condition.keywords:
        return f"{name} is of type {kind}, and the condition compares with a text."
    return ""


def conditions(subject: Subject) -> Iterator[Finding]:
    """Conditions that take everything, or nothing, that can come up."""
    for rule, place in subject.leaves():
        yield from _condition(subject, rule, place)
        if rule.threshold is not None:
            takes = Takes.of(str(rule.threshold.getOperator().name()), rule.threshold.getConditionAsString())
            yield from _judged(subject, rule, place, SHARE, takes, "its threshold")


def _condition(subject: Subject, rule: Rule, place: Place) -> Iterator[Finding]:
    if rule.condition is None or rule.dynamic:
        return
    text = rule.condition.java.getConditionAsString()
    if rule.condition.kind == "number":
        domain = domain_of(subject, rule)
        yield from _judged(subject, rule, place, domain, Takes.of(rule.condition.operator, text), "its condition")
    if rule.condition.kind == "string" and rule.condition.operator == "MATCHES" and _takes_any_text(text):
        why = "Its pattern takes any text; only NULL fails it, for which IsComplete asks."
        yield subject.finding("never-fails", rule, place, why)
    days = re.findall(r'"(\d{4}-\d{2}-\d{2})"', text)
    if rule.condition.kind == "date" and rule.condition.operator == "BETWEEN" and len(days) == 2 and days[0] >= days[1]:
        yield subject.finding("never-passes", rule, place, f"No day lies after {days[0]} and before {days[1]}.")


def domain_of(subject: Subject, rule: Rule) -> Domain | None:
    """The numbers that a rule's condition can meet; None where nothing is known of them."""
    if rule.type == "ColumnValues":
        kind = subject.type_of(rule.parameters["TargetColumn"])
        if kind in WHOLE:
            bound = 2.0 ** (WHOLE[kind] - 1)
            return Domain(f"a value of type {kind}", -bound, bound - 1, whole=True)
        return Domain("a value")
    return MEASURES.get(rule.type, Domain("a number"))


def _judged(
    subject: Subject, rule: Rule, place: Place, domain: Domain | None, takes: Takes | None, what: str
) -> Iterator[Finding]:
    if domain is None or takes is None:
        return
    if takes_none(domain, [takes]):
        why = f"{what.capitalize()} is met by no value: the number is {domain.what}{_between(takes)}."
        yield subject.finding("never-passes", rule, place, why)
    elif takes_all(domain, takes):
        null = "; only NULL fails it, for which IsComplete asks" if rule.type == "ColumnValues" else ""
        if rule.type == "ColumnValues" and what == "its condition" and takes.operator in NULL_PASSES:
            null = ""
        why = f"{what.capitalize()} is met by every value: the number is {domain.what}{null}."
        yield subject.finding("never-fails", rule, place, why)


def _between(takes: Takes) -> str:
    return ", and between leaves out both ends" if takes.operator == "BETWEEN" else ""


def _takes_any_text(text: str) -> bool:
    pattern = re.search(r'"(.*)"', text, re.S)
    try:
        return pattern is not None and all(re.fullmatch(pattern[1], each, re.S) for each in SAMPLE_TEXTS)
    except re.error:
        return False


def contradictions(subject: Subject) -> Iterator[Finding]:
    """Rules on one number that cannot all hold, and rules that stand twice."""
    seen: dict[str, int] = {}
    together: dict[tuple[str, ...], list[tuple[Rule, Place, Takes]]] = defaultdict(list)
    for rule, place in subject.rules:
        if rule.text in seen:
            yield subject.finding("repeated-rule", rule, place, f"It stands on line {seen[rule.text]} as well.")
            continue
        seen[rule.text] = place.line
        if rule.condition is None or rule.condition.kind != "number" or rule.dynamic or rule.threshold is not None:
            continue
        if takes := Takes.of(rule.condition.operator, rule.condition.java.getConditionAsString()):
            key = (rule.type, rule.where or "", *(plain(name) for name in sorted(rule.parameters.values())))
            together[key].append((rule, place, takes))
    for group in together.values():
        yield from _contradicted(subject, group)


def _contradicted(subject: Subject, group: list[tuple[Rule, Place, Takes]]) -> Iterator[Finding]:
    for index, (rule, place, takes) in enumerate(group):
        domain = domain_of(subject, rule)
        for _, other, earlier in group[:index]:
            alone = domain is None or takes_none(domain, [takes]) or takes_none(domain, [earlier])
            if domain is not None and not alone and takes_none(domain, [takes, earlier]):
                why = f"No value meets both this rule and the one on line {other.line}."
                yield subject.finding("never-passes", rule, place, why)


def said_of_rows(subject: Subject) -> Iterator[Finding]:
    """Rules of a row ruleset that let a row pass unseen, because their type says nothing of a row."""
    if subject.kind != "rows":
        return
    for rule, place in subject.leaves():
        if rule.type in PASSES_UNSEEN:
            why = f"{rule.type} has no outcome for a single row: the row is listed as skipped, and passes."
            yield subject.finding("passes-rows-unseen", rule, place, why)
        elif rule.type == "CustomSql":
            why = "A statement is matched with the rows pair by pair: 20,000 rows take minutes, a million days."
            yield subject.finding("does-not-scale", rule, place, why)
        elif rule.type not in ABOUT_ROWS:
            why = f"{rule.type} is about the batch as a whole: each row is listed as skipped, and passes."
            yield subject.finding("says-nothing-of-rows", rule, place, why)


def passed_blanks(subject: Subject) -> Iterator[Finding]:
    """Completeness asked of a text as it came, where a blank is no NULL."""
    for rule, place in subject.leaves():
        if rule.type not in ("IsComplete", "Completeness"):
            continue
        for name in columns_of(rule):
            if plain(name) in subject.texts:
                why = f"In a CSV a blank of {name} is an empty text, not NULL: it counts as complete."
                yield subject.finding("blank-passes", rule, place, why)


def for_jobs_alone(subject: Subject) -> Iterator[Finding]:
    """What runs on the catalog do not know: rules that look back, labels, analyzers.

    https://docs.aws.amazon.com/glue/latest/dg/dqdl.html says so of each in a note.
    """
    if subject.kind != "gate":
        return
    for rule, place in subject.leaves():
        if rule.dynamic:
            why = "It looks back at earlier results; a run on the catalog refuses that."
            yield subject.finding("refused-in-gates", rule, place, why)
    for rule, place in subject.rules:
        if rule.labels:
            yield subject.finding("refused-in-gates", rule, place, "It has labels; a run on the catalog knows none.")
    text = subject.file.text
    for entry in entries(text):
        if entry.list_name == "Analyzers":
            line, _ = line_and_column(text, entry.start)
            why = "It is an analyzer; a run on the catalog knows none."
            yield Finding("refused-in-gates", subject.file.name, line, text[entry.start : entry.end], why)


CHECKS: tuple[Callable[[Subject], Iterator[Finding]], ...] = (
    unknown_columns,
    wrong_types,
    conditions,
    contradictions,
    said_of_rows,
    passed_blanks,
    for_jobs_alone,
)
