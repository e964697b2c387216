"""The templates of both forms, as the Go tests keep them in test/testdata, pass cfn-lint."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

TEMPLATES = Path(__file__).parents[2] / "testdata"


class Accepted(NamedTuple):
    """A finding that stays: its rule, what its message looks like, and why."""

    rule: str
    message: str
    reason: str


ACCEPTED = [
    Accepted(
        "W3005",
        r"^'(Custom\w+Role\w+|PipelineRole\w+|VisualJobsRole\w+)' dependency already enforced",
        "CDK adds these dependencies to functions and state machines; they do no harm",
    ),
]


class Finding(NamedTuple):
    """What cfn-lint says of a place in a template."""

    rule: str
    message: str
    template: str
    path: str


@pytest.fixture(scope="module")
def findings() -> list[Finding]:
    """All findings, from one run of cfn-lint on all templates."""
    files = sorted(TEMPLATES.glob("*/*.template.json"))
    assert len(files) == 10, "five stacks in two forms"
    command = [str(Path(sys.executable).parent / "cfn-lint"), "--format", "json", "--", *map(str, files)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert not result.stderr, result.stderr
    return [
        Finding(
            rule=item["Rule"]["Id"],
            message=item["Message"],
            template=str(Path(item["Filename"]).relative_to(TEMPLATES)),
            path="/".join(map(str, item["Location"]["Path"] or [])),
        )
        for item in json.loads(result.stdout)
    ]


def is_accepted(finding: Finding, accepted: Accepted) -> bool:
    """Whether the finding is of the accepted kind."""
    return finding.rule == accepted.rule and re.search(accepted.message, finding.message) is not None


def test_no_finding_without_a_reason(findings: list[Finding]) -> None:
    """What cfn-lint finds is on the list."""
    assert [found for found in findings if not any(is_accepted(found, entry) for entry in ACCEPTED)] == []


def test_no_stale_reason(findings: list[Finding]) -> None:
    """What is on the list is found."""
    assert [entry for entry in ACCEPTED if not any(is_accepted(found, entry) for found in findings)] == []
