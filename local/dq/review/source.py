"""Rule files as people write them: which rule stands on which line, and what a comment above it accepts.

A finding is accepted by a comment right above its rule, with the reason:

    # review accepts no-fault: an empty batch never reaches the job
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from local.dq.tokens import Token, entries, line_and_column

_ACCEPTS = re.compile(r"#\s*review accepts\s+(?P<kinds>[a-z-]+(?:\s*,\s*[a-z-]+)*)\s*:\s*(?P<reason>\S.*)")


@dataclass(frozen=True)
class Acceptance:
    """What a comment accepts: a kind of finding, the line of the comment, the reason."""

    kind: str
    line: int
    reason: str


@dataclass
class Place:
    """Where a rule stands: its first line, counted from 1, and what is accepted of it."""

    line: int
    accepted: list[Acceptance] = field(default_factory=list)


@dataclass(frozen=True)
class RuleFile:
    """A rule file. `name` is its path as findings show it."""

    path: Path
    name: str
    text: str

    @classmethod
    def read(cls, path: Path, root: Path) -> RuleFile:
        """Read a file; raises OSError, and ValueError for one that is no UTF-8."""
        name = str(path.resolve().relative_to(root)) if path.resolve().is_relative_to(root) else str(path)
        try:
            return cls(path, name, path.read_text(encoding="utf-8"))
        except UnicodeDecodeError as error:
            raise ValueError(f"{name}: no UTF-8 at byte {error.start}") from None

    @property
    def places(self) -> list[Place]:
        """The place of each rule, in the order of the rules."""
        return list(_places(self.text))

    def line(self, number: int) -> str:
        """A line of the file, counted from 1, without what is around it."""
        lines = self.text.splitlines()
        return lines[number - 1].strip() if 0 < number <= len(lines) else ""


def _places(text: str) -> Iterator[Place]:
    for entry in entries(text):
        if entry.list_name == "Rules":
            accepted = [each for comment in entry.comments for each in _acceptances(text, comment)]
            yield Place(line_and_column(text, entry.start)[0], accepted)


def _acceptances(text: str, comment: Token) -> list[Acceptance]:
    found = _ACCEPTS.fullmatch(comment.text.strip())
    if found is None:
        return []
    line, _ = line_and_column(text, comment.start)
    return [Acceptance(kind.strip(), line, found["reason"]) for kind in found["kinds"].split(",")]
