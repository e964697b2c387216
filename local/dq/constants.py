"""Constants of a ruleset that stand for one text, put in place before it is parsed.

The published parser takes lists (`in $names`) and fails on texts, which the language allows as well, in conditions and
as parameters: `CustomSql $statement > 0`.
https://docs.aws.amazon.com/glue/latest/dg/dqdl.html#dqdl-constants
"""

from __future__ import annotations

from dataclasses import dataclass

from local.dq.tokens import line_and_column, tokens


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
    found = [each for each in tokens(text) if each.kind != "comment"]
    defined = {
        name.text: value.text
        for name, sign, value in zip(found, found[1:], found[2:], strict=False)
        if sign.sign == "=" and name.kind == "word" and (value.kind == "string" or value.sign == "[")
    }
    parts, moved, done, shift, on_line = [], [], 0, 0, 0
    for token in found:
        if token.kind != "word" or not token.text.startswith("$"):
            continue
        value = defined.get(token.text[1:])
        if value is None:
            raise ConstantError(token.start, f"the constant {token.text} is not defined")
        if value == "[":
            continue  # a list: the parser knows it
        line, column = line_and_column(text, token.end)
        shift = shift if line == on_line else 0
        on_line, by = line, len(value) - len(token.text)
        shift += by
        moved.append((line, column - 1 + shift, by))
        parts += [text[done : token.start], value]
        done = token.end
    return Resolved("".join([*parts, text[done:]]), tuple(moved))
