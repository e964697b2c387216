"""Constants of a ruleset that stand for one text, put in place before it is parsed.

The published parser takes lists (`in $names`) and fails on texts, which the language allows as well, in conditions and
as parameters: `CustomSql $statement > 0`.
https://docs.aws.amazon.com/glue/latest/dg/dqdl.html#dqdl-constants
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_TOKEN = re.compile(r'#[^\n]*|"(?:\\.|[^"\\])*"|\$?[A-Za-z0-9_.]+|\S')


class ConstantError(ValueError):
    """A constant that nothing defines. `offset` is where, in characters from the start of the ruleset."""

    def __init__(self, offset: int, message: str) -> None:
        super().__init__(message)
        self.offset = offset


@dataclass(frozen=True)
class Resolved:
    """A ruleset with its constants in place, and where that moved the rest of a line."""

    text: str
    moved: tuple[tuple[int, int, int], ...] = ()  # line from 1, column from 0 in `text` behind it, by how much

    def column(self, line: int, column: int) -> int:
        """Where a column of `text` (from 0) was before."""
        return column - sum(by for at, behind, by in self.moved if at == line and behind <= column)


def put_constants(text: str) -> Resolved:
    """Put the constants that stand for one text in place. Raises ConstantError."""
    tokens = [each for each in _TOKEN.finditer(text) if each[0][0] != "#"]
    defined = {
        name[0]: value[0]
        for name, sign, value in zip(tokens, tokens[1:], tokens[2:], strict=False)
        if sign[0] == "=" and re.fullmatch(r"[A-Za-z0-9_.]+", name[0]) and value[0][0] in '"['
    }
    parts, moved, done, shift, on_line = [], [], 0, 0, 0
    for token in tokens:
        if not re.fullmatch(r"\$[A-Za-z0-9_.]+", token[0]):
            continue
        value = defined.get(token[0][1:])
        if value is None:
            raise ConstantError(token.start(), f"the constant {token[0]} is not defined")
        if value == "[":
            continue  # a list: the parser knows it
        line = text.count("\n", 0, token.start()) + 1
        shift = shift if line == on_line else 0
        on_line, by = line, len(value) - len(token[0])
        column = token.end() - (text.rfind("\n", 0, token.end()) + 1)
        shift += by
        moved.append((line, column + shift, by))
        parts += [text[done : token.start()], value]
        done = token.end()
    return Resolved("".join([*parts, text[done:]]), tuple(moved))
