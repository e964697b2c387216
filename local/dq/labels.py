"""DQDL labels, which the published grammar does not know yet: taken off a ruleset before it is parsed.

What is taken off becomes blanks, so that lines and columns of the rest stay where they are.
https://docs.aws.amazon.com/glue/latest/dg/dqdl.html#dqdl-labels
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

MOST_LABELS = 10
MOST_KEY_CHARS = 128
MOST_VALUE_CHARS = 256

_TOKEN = re.compile(r'#[^\n]*|"(?:\\.|[^"\\])*"|[A-Za-z0-9_.]+|\S')


class LabelError(ValueError):
    """Labels that are wrong. `offset` is where, in characters from the start of the ruleset."""

    def __init__(self, offset: int, message: str) -> None:
        super().__init__(message)
        self.offset = offset


@dataclass(frozen=True)
class Labelled:
    """A ruleset without its labels, and the labels of each rule by its place in the list of rules."""

    text: str
    default: dict[str, str] = field(default_factory=dict)
    rules: dict[int, dict[str, str]] = field(default_factory=dict)

    def of(self, index: int) -> dict[str, str]:
        """The labels of a rule; its own win over the ruleset's."""
        return {**self.default, **self.rules.get(index, {})}


@dataclass(frozen=True)
class _Token:
    text: str
    start: int
    end: int


def take_labels(text: str) -> Labelled:
    """Take labels off a ruleset. Raises LabelError."""
    tokens = [_Token(each[0], each.start(), each.end()) for each in _TOKEN.finditer(text) if each[0][0] != "#"]
    taken = list(_labels(tokens))
    default: dict[str, str] = {}
    rules: dict[int, dict[str, str]] = {}
    for index, first, last, labels in taken:
        if index is None:
            default = labels
        else:
            rules[index] = labels
        where = tokens[first].start, tokens[last].end
        text = text[: where[0]] + re.sub(r"[^\n]", " ", text[where[0] : where[1]]) + text[where[1] :]
    # A part of a composite rule may have labels; they are the part's, and no result tells of parts.
    rules.pop(PART, None)
    for index, labels in rules.items():
        if len({**default, **labels}) > MOST_LABELS:
            place = next(tokens[first].start for number, first, _, _ in taken if number == index)
            raise LabelError(place, f"a rule has at most {MOST_LABELS} labels, with those of DefaultLabels")
    return Labelled(text, default, rules)


PART = -1


def _labels(tokens: list[_Token]) -> Iterator[tuple[int | None, int, int, dict[str, str]]]:
    """Each list of labels: the rule it belongs to (None: all; PART: part of one), its first and last token, itself."""
    rule, depth, inside, joined, at = 0, 0, False, False, 0
    while at < len(tokens):
        token = tokens[at].text
        starts = [each.text for each in tokens[at + 1 : at + 3]] == ["=", "["]
        if token in ("DefaultLabels", "labels") and starts and inside == (token == "labels"):
            last, labels = _list(tokens, at)
            if not inside and (len(tokens) == last + 1 or tokens[last + 1].text not in ("Rules", "Analyzers")):
                raise LabelError(tokens[at].start, "DefaultLabels stands right before Rules")
            yield (None if not inside else PART if depth or joined else rule), at, last, labels
            at = last + 1
            continue
        if token == "Rules" and starts and not inside:
            inside, at = True, at + 3
            continue
        if inside and token == "]" and depth == 0:
            return
        depth += (token in ("(", "[")) - (token in (")", "]"))
        if inside and depth == 0 and token == ",":
            rule, joined = rule + 1, False
        joined = joined or (depth == 0 and token in ("AND", "OR", "and", "or") and _joins(tokens, at))
        at += 1


def _joins(tokens: list[_Token], at: int) -> bool:
    """Whether `and` or `or` joins two rules; `between 1 and 2` has one as well."""
    words = [each.text for each in tokens[max(0, at - 3) : at]]
    return "between" not in words


def _list(tokens: list[_Token], at: int) -> tuple[int, dict[str, str]]:
    """The list of labels that begins at the token `labels`: its last token's place, and its pairs."""
    labels: dict[str, str] = {}
    here = at + 3
    while True:
        pair = tokens[here : here + 4]
        if len(pair) < 4 or pair[1].text != "=" or any(each.text[0] != '"' for each in (pair[0], pair[2])):
            raise LabelError(
                tokens[min(here, len(tokens) - 1)].start, 'want labels as ["key"="value", …], at least one'
            )
        key, value = pair[0].text[1:-1], pair[2].text[1:-1]
        _check(pair[0], key, MOST_KEY_CHARS, "key")
        _check(pair[2], value, MOST_VALUE_CHARS, "value")
        if key in labels:
            raise LabelError(pair[0].start, f'the label "{key}" stands twice')
        labels[key] = value
        if pair[3].text == "]":
            break
        if pair[3].text != ",":
            raise LabelError(pair[3].start, "want a comma or ] after a label")
        here += 4
    if len(labels) > MOST_LABELS:
        raise LabelError(tokens[at].start, f"at most {MOST_LABELS} labels")
    return here + 3, labels


def _check(token: _Token, text: str, most: int, what: str) -> None:
    if not 1 <= len(text) <= most:
        raise LabelError(token.start, f"a label's {what} has 1 to {most} characters, not {len(text)}")
