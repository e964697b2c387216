"""The project's own rules, reviewed as `pipeline dq check` does it; and rules spoiled on purpose."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from running_cloud import ROOT

from local.dq.review.project import Review, read, rule_files
from local.dq.review.source import RuleFile

# Twelve evaluations, eight of them of whole samples.
pytestmark = [pytest.mark.spark, pytest.mark.timeout(1200)]


@pytest.fixture(scope="module")
def review(spark: Any, tmp_path_factory: pytest.TempPathFactory) -> Review:
    """A review that makes its samples once."""
    return Review(ROOT, spark, tmp_path_factory.mktemp("review"))


def found(review: Review, spark: Any, *paths: Path) -> list[str]:
    parsed, refused = read(spark._jvm, [RuleFile.read(path, ROOT) for path in paths], ROOT)
    return [finding.text() for finding in [*refused, *review.findings(parsed)]]


def test_the_project_s_rules_have_no_findings(review: Review, spark: Any) -> None:
    findings = found(review, spark, *rule_files(ROOT))
    assert not findings, "\n".join(["pipeline dq check finds:", *findings])


def test_spoiled_rules_are_found_with_their_lines(review: Review, spark: Any, tmp_path: Path) -> None:
    rows = ROOT / "dqdl-rules" / "ratings_rows.dqdl"
    spoiled = Path(shutil.copy(rows, tmp_path))
    text = spoiled.read_text()
    line = text[: text.index('IsUnique "rating_key"')].count("\n") + 1
    more = ['IsUnique "rating_key"', 'ColumnValues "rating_typd" > 0']
    more.append('ColumnValues "rating_typed" < 100 where "rating_typed > 0"')
    spoiled.write_text(text.replace('IsUnique "rating_key"\n', ",\n".join(more) + "\n"))
    findings = found(review, spark, spoiled)
    places = [finding.split(": ", 2)[:2] for finding in findings]
    assert [f"{spoiled}:{line + 1}", "unknown-column"] in places
    assert [f"{spoiled}:{line + 2}", "no-fault"] in places
    assert len(places) == 2
