"""A ruleset's text in tokens, for what has to be known of it before AWS's grammar parses it: where things stand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_TOKEN = re.compile(
    r'(?P<comment>#[^\n]*)|(?P<string>"(?:\\.|[^"\\])*")|(?P<word>\$?[A-Za-z0-9_.]+)|(?P<sign>\S)', re.DOTALL
)


LISTS = ("Rules", "Analyzers")


@dataclass(frozen=True)
class Token:
    """A comment, a quoted string, a word or a single sign, and where it stands in the text."""

    kind: str
    text: str
    start: int
    end: int

    @property
    def sign(self) -> str:
        """The sign; the empty string for any other token."""
        return self.text if self.kind == "sign" else ""


@dataclass(frozen=True)
class Entry:
    """A rule or an analyzer: its list, where that and itself begin, where it ends, and the comments above it."""

    list_name: str
    list_start: int
    start: int
    end: int
    comments: tuple[Token, ...]


def tokens(text: str) -> list[Token]:
    """The tokens of a ruleset, comments among them."""
    return [Token(each.lastgroup or "", each[0], each.start(), each.end()) for each in _TOKEN.finditer(text)]


def line_and_column(text: str, offset: int) -> tuple[int, int]:
    """Where an offset lies, both counted from 1."""
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)


def entries(text: str) -> Iterator[Entry]:
    """The rules and the analyzers, in their order: they stand between `[` and `]`, parted by commas.

    The grammar gives rules without their places; of a text that it takes, the order says which is which.
    """
    depth, list_name, list_start = 0, "", 0
    start: int | None = None
    comments: list[Token] = []
    above: tuple[Token, ...] = ()
    end = 0
    before = [Token("", "", 0, 0)] * 2
    for token in tokens(text):
        if token.kind == "comment":
            comments.append(token)
            continue
        if depth == 0:
            if token.sign == "[" and before[1].sign == "=":
                list_name, list_start = before[0].text, before[0].start
        elif start is None and token.sign != "]" and list_name in LISTS:
            start, above, comments = token.start, tuple(comments), []
        depth += (token.sign in ("[", "(")) - (token.sign in ("]", ")"))
        if start is not None and ((depth == 1 and token.sign == ",") or depth == 0):
            yield Entry(list_name, list_start, start, end, above)
            start = None
        before, end = [before[1], token], token.end
