"""Each kind of finding: a ruleset that has it, and one beside it that does not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from running_cloud import ROOT

from local.dq.review.checks import Subject, check
from local.dq.review.findings import KINDS, Finding
from local.dq.review.project import accepted, read
from local.dq.review.ranges import Domain, Takes, takes_all, takes_none
from local.dq.review.source import RuleFile
from local.dq.rules import parse

GIVEN = json.loads((Path(__file__).parent / "cases.json").read_text())


def rule_file(text: str, name: str = "films_rows.dqdl") -> RuleFile:
    return RuleFile(Path("dqdl-rules") / name, f"dqdl-rules/{name}", text)


def found(spark: Any, rules: str, kind: str) -> list[Finding]:
    """The findings on rules, which stand on line 2 of their file."""
    file = rule_file(f"Rules = [\n{rules}\n]")
    pairs = list(zip(parse(spark._jvm, file.text).rules, file.places, strict=True))
    subject = Subject(file, kind, pairs, GIVEN["columns"], frozenset(GIVEN["texts"]), GIVEN["others"])  # type: ignore[arg-type]
    return list(check(subject))


@pytest.mark.spark
@pytest.mark.parametrize("case", GIVEN["cases"], ids=lambda case: f"{case['kind']}: {case['bad']}")
def test_a_rule_has_the_finding_and_the_one_beside_it_has_none(spark: Any, case: dict[str, str]) -> None:
    findings = found(spark, case["bad"], case["in"])
    assert [(each.kind, each.line) for each in findings] == [(case["kind"], 2)]
    assert case["why"] in findings[0].why
    assert found(spark, case["good"], case["in"]) == []


def test_rules_are_found_where_they_stand() -> None:
    text = """# "Rules = [ x" in a comment
Rules = [
    # why, with a comma
    ColumnValues "a" in ["x, y", "#", "]"] where "b in (1, 2)" with threshold > 0.5, RowCount > 0,
    (IsComplete "a")
      and (IsUnique "b"),   # behind
    CustomSql "select \\"a, b\\" from primary" > 0
]
Analyzers = [ RowCount, Completeness "a" ]
"""
    assert [place.line for place in rule_file(text).places] == [4, 4, 5, 7]


def test_what_a_comment_accepts_belongs_to_the_rule_below() -> None:
    text = """Rules = [
    RowCount > 0,
    # review accepts no-fault, never-fails: the reason
    # another comment
    IsComplete "a",
    # review accepts no-fault:
    IsUnique "a"
]"""
    places = rule_file(text).places
    assert [[(each.kind, each.line, each.reason) for each in place.accepted] for place in places] == [
        [],
        [("no-fault", 3, "the reason"), ("never-fails", 3, "the reason")],
        [],
    ]


def test_an_accepted_finding_is_not_told_and_an_idle_acceptance_is() -> None:
    file = rule_file("""Rules = [
    # review accepts says-nothing-of-rows: it counts the rows
    RowCount > 0,
    # review accepts wrong-tpye: none of this name
    # review accepts never-fails: it can
    # review accepts no-fault: only a sample can tell
    IsComplete "a"
]""")
    findings = [Finding("says-nothing-of-rows", file.name, 3, "RowCount > 0", "")]
    findings.append(Finding("wrong-type", file.name, 7, 'IsComplete "a"', ""))
    left = list(accepted(file, findings, with_sample=False))
    assert [(each.kind, each.line) for each in left] == [
        ("idle-acceptance", 4),
        ("idle-acceptance", 5),
        ("wrong-type", 7),
    ]
    assert "wrong-tpye" in left[0].why
    assert [each.line for each in accepted(file, findings, with_sample=True)] == [4, 5, 6, 7]


@pytest.mark.spark
def test_what_the_grammar_refuses_is_a_finding_with_its_line(spark: Any) -> None:
    refused = rule_file('Rules = [\n  RowCount > 0,\n  IsComplet "a"\n]', "movies_rows.dqdl")
    fine = rule_file("Rules = [ RowCount > 0 ]", "somebody.dqdl")
    parsed, findings = read(spark._jvm, [refused, fine], ROOT)
    assert [(each.file.path.stem, each.dataset, each.kind) for each in parsed] == [("somebody", "", "any")]
    assert [(each.kind, each.line, each.rule) for each in findings] == [("grammar", 3, 'IsComplet "a"')]


@pytest.mark.parametrize(
    ("operator", "text", "domain", "every", "none"),
    [
        ("GREATER_THAN", ">0.98", Domain("", 0, 1), False, False),
        ("GREATER_THAN", ">1", Domain("", 0, 1), False, True),
        ("LESS_THAN_EQUAL_TO", "<=1.0", Domain("", 0, 1), True, False),
        ("BETWEEN", "between-1and101", Domain("", whole=True), False, False),
        ("BETWEEN", "between-1and101", Domain("", 0, 100, whole=True), True, False),
        ("BETWEEN", "between3and4", Domain("", whole=True), False, True),
        ("BETWEEN", "between3and4", Domain(""), False, False),
        ("NOT_BETWEEN", "notbetween4and3", Domain(""), True, False),
        ("IN", "in[1.5,2.5]", Domain("", whole=True), False, True),
        ("NOT_EQUALS", "!=-1", Domain("", 0), True, False),
    ],
)
def test_conditions_are_judged_without_data(operator: str, text: str, domain: Domain, every: bool, none: bool) -> None:
    condition = Takes.of(operator, text)
    assert condition is not None
    assert takes_all(domain, condition) is every
    assert takes_none(domain, [condition]) is none


def test_conditions_without_plain_numbers_are_left_alone() -> None:
    assert Takes.of("EQUALS", "=NULL") is None
    assert Takes.of("GREATER_THAN", ">avg(last(3))") is None


def test_each_kind_says_what_to_do() -> None:
    assert {case["kind"] for case in GIVEN["cases"]} <= KINDS.keys()
    assert Finding("no-fault", "a.dqdl", 3, "RowCount > 1", "Why.").text() == (
        "a.dqdl:3: no-fault: RowCount > 1\n    Why.\n"
        "    Plant a fault in sample-data/faults.py that this rule must catch, or take the rule out."
    )
