"""Rule files as people write them: which rule stands on which line, and what a comment above it accepts.

The grammar gives rules without their places. A file that it takes has its rules between `[` and `]`, parted by commas,
so that their order says which is which.

A finding is accepted by a comment right above its rule, with the reason:

    # review accepts no-fault: an empty batch never reaches the job
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

_ACCEPTS = re.compile(r"#\s*review accepts\s+(?P<kinds>[a-z-]+(?:\s*,\s*[a-z-]+)*)\s*:\s*(?P<reason>\S.*)")
_TOKEN = re.compile(
    r'(?P<comment>#[^\n]*)|(?P<string>"(?:\\.|[^"\\])*")|(?P<mark>[\[\](),=])|(?P<word>[^\s\[\](),="#]+)'
)


@dataclass(frozen=True)
class Acceptance:
    """What a comment accepts: a kind of finding, the line of the comment, the reason."""

    kind: str
    line: int
    reason: str


@dataclass
class Place:
    """Where a rule stands: its first line, counted from 1, its text there, and what is accepted of it."""

    line: int
    text: str = ""
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
    depth, list_name, before = 0, "", ["", ""]
    place: Place | None = None
    start = 0
    waiting: list[Acceptance] = []
    for token in _TOKEN.finditer(text):
        line = text.count("\n", 0, token.start()) + 1
        if token.lastgroup == "comment":
            waiting += _acceptances(token[0], line)
            continue
        mark = token[0] if token.lastgroup == "mark" else ""
        if depth == 0:
            list_name = before[0] if mark == "[" and before[1] == "=" else list_name
        elif place is None and mark != "]" and list_name == "Rules":
            place, start, waiting = Place(line, accepted=waiting), token.start(), []
        depth += {"[": 1, "(": 1, "]": -1, ")": -1}.get(mark, 0)
        if place is not None and ((depth == 1 and mark == ",") or depth == 0):
            place.text = text[start : token.start()].strip()
            yield place
            place = None
        before = [before[1], token[0]]


def _acceptances(comment: str, line: int) -> list[Acceptance]:
    found = _ACCEPTS.fullmatch(comment.strip())
    if found is None:
        return []
    return [Acceptance(kind.strip(), line, found["reason"]) for kind in found["kinds"].split(",")]
