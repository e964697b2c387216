"""Writes docs/dqdl-conformance.md from the golden cases: `python test/python/dq/conformance.py`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CASES = Path(__file__).parent / "cases"
DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "dqdl-conformance.md"
ROWS = "abcdef"
# The row of cases/data.json whose columns are NULL.
NULL_ROW = "d"

INTRODUCTION = """# DQDL conformance

Generated from the golden cases in `test/python/dq/cases/` by `python test/python/dq/conformance.py`; a test fails when
it is stale. Each line of the tables is a test: the rule is evaluated by the local engine on the rows below, and its
outcome, the rows that break it and the rows it says nothing about are compared.
"""

LEGEND = """
- **left out**: the rows that a rule says nothing about, as its `where` leaves them out. By default Glue lists the rule
  under `DataQualityRulesPass` of such a row; with the option `rowLevelConfiguration.filteredRowLabel` = `SKIPPED`,
  with which these cases are evaluated, under `DataQualityRulesSkip`.
- **NULL**: what a row with NULL in the rule's column does: keeps the rule, breaks it, or is left out.
- **row level**: whether the rule says something about single rows. If not, Glue lists it under
  `DataQualityRulesSkip` of every row.
- **ERROR**: the local evaluation refuses the rule by name, or the rule cannot be answered on these data. In the frame
  `ruleOutcomes` and in `pipeline dq` that counts as failed.
"""


@dataclass(frozen=True)
class Case:
    """A golden case, with the page of AWS that it follows."""

    topic: str
    page: str
    rule: dict[str, Any]

    @property
    def type(self) -> str:
        """The rule type; of a composite rule, that."""
        return "composite" if self.rule["rule"].startswith("(") else self.rule["rule"].split()[0]

    @property
    def null(self) -> str:
        """What the row of NULLs does."""
        if self.rule["skips"] == ROWS:
            return "not judged"
        if NULL_ROW in self.rule["breaks"]:
            return "breaks"
        return "left out" if NULL_ROW in self.rule["skips"] else "keeps"

    @property
    def by_row(self) -> str:
        """Whether the rule judges rows."""
        return "no" if self.rule["skips"] == ROWS else "yes"


def read() -> Iterator[Case]:
    """All cases, in the order of their files."""
    for path in sorted(CASES.glob("*.json")):
        described = json.loads(path.read_text())
        for rule in described.get("rules", []):
            yield Case(path.stem, rule.get("page", described["page"]), rule)


def document() -> str:
    """The document as it should be."""
    cases = list(read())
    parts = [INTRODUCTION, _data(), LEGEND]
    for kind in sorted({case.type for case in cases}, key=str.lower):
        parts.append(_section(kind, [case for case in cases if case.type == kind]))
    parts.append(_open())
    return "\n".join(parts)


def _data() -> str:
    data = json.loads((CASES / "data.json").read_text())
    parts = ["## The rows\n"]
    for name, table in data.items():
        columns = table["columns"].split(", ")
        parts.append(f"`{name}`:\n")
        parts += _table(columns, [[_value(value) for value in row] for row in table["rows"]])
        parts.append("")
    return "\n".join(parts)


def _value(value: Any) -> str:
    return (
        "NULL" if value is None else "`''`" if value == "" else f"`'{value}'`" if not str(value).strip() else str(value)
    )


def _section(kind: str, cases: list[Case]) -> str:
    pages = list(dict.fromkeys(case.page for case in cases))
    links = ", ".join(f"[{_name(page)}]({page})" for page in pages)
    rows = [
        [_code(case.rule["rule"]), case.rule["result"], case.null, case.by_row, *_rows(case), _note(case)]
        for case in cases
    ]
    header = ["rule", "outcome", "NULL", "row level", "broken by", "left out", "note"]
    return "\n".join([f"## {kind}\n", f"{links}\n", *_table(header, rows), ""])


def _rows(case: Case) -> list[str]:
    return [case.rule["breaks"] or "none", "all" if case.rule["skips"] == ROWS else case.rule["skips"] or "none"]


def _note(case: Case) -> str:
    notes = {"composites_by_row": "By row.", "composites_by_column": "By column.", "dynamic": "With earlier results."}
    evaluated = f"Evaluated as {_code(case.rule['evaluated'])}." if "evaluated" in case.rule else ""
    return " ".join(part for part in (notes.get(case.topic, ""), evaluated, case.rule.get("why", "")) if part)


def _name(page: str) -> str:
    return re.sub(r"^.*/|\.html", "", page)


def _code(text: str) -> str:
    return "`" + text.replace("|", "\\|") + "`"


def _table(header: list[str], rows: list[list[str]]) -> list[str]:
    return [f"| {' | '.join(each)} |" for each in (header, ["---"] * len(header), *rows)]


def _open() -> str:
    open_points = json.loads((CASES.parent / "open.json").read_text())
    lines = [
        f"- **{point['what']}**: {point['why']} ([{_name(point['page'])}]({point['page']}))" for point in open_points
    ]
    return "\n".join(["## Open\n", "What the local evaluation does not do, or does on an assumption:\n", *lines, ""])


if __name__ == "__main__":
    DOCUMENT.write_text(document())
