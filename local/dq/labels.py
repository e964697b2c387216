"""DQDL labels, which the published grammar does not know yet: taken off a ruleset before it is parsed.

What is taken off becomes blanks, so that lines and columns of the rest stay where they are.
https://docs.aws.amazon.com/glue/latest/dg/dqdl.html#dqdl-labels
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from local.dq.tokens import Token, tokens

MOST_LABELS = 10
MOST_KEY_CHARS = 128
MOST_VALUE_CHARS = 256


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


def take_labels(text: str) -> Labelled:
    """Take labels off a ruleset. Raises LabelError."""
    found = [each for each in tokens(text) if each.kind != "comment"]
    default: dict[str, str] = {}
    rules: dict[int, dict[str, str]] = {}
    for each in _labels(found):
        if each.rule is None:
            default = each.labels
        else:
            rules[each.rule] = each.labels
            if len({**default, **each.labels}) > MOST_LABELS:
                raise LabelError(each.start, f"a rule has at most {MOST_LABELS} labels, with those of DefaultLabels")
        text = text[: each.start] + re.sub(r"[^\n]", " ", text[each.start : each.end]) + text[each.end :]
    return Labelled(text, default, rules)


@dataclass(frozen=True)
class _Labels:
    """A list of labels: the place of its rule in the list of rules (None: it is for all), and where it stands."""

    rule: int | None
    labels: dict[str, str]
    start: int
    end: int


def _labels(found: list[Token]) -> Iterator[_Labels]:
    rule, depth, inside, joined, at = 0, 0, False, False, 0
    while at < len(found):
        token = found[at].text
        starts = [each.text for each in found[at + 1 : at + 3]] == ["=", "["]
        if token in ("DefaultLabels", "labels") and starts and inside == (token == "labels"):
            last, labels = _list(found, at)
            if not inside and (len(found) == last + 1 or found[last + 1].text not in ("Rules", "Analyzers")):
                raise LabelError(found[at].start, "DefaultLabels stands right before Rules")
            if inside and (depth or joined):
                raise LabelError(
                    found[at].start, "labels are for a whole rule: put parentheses around it, and labels behind them"
                )
            yield _Labels(rule if inside else None, labels, found[at].start, found[last].end)
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
        joined = joined or (depth == 0 and token in ("AND", "OR", "and", "or") and _joins(found, at))
        at += 1


def _joins(found: list[Token], at: int) -> bool:
    """Whether `and` or `or` joins two rules; `between 1 and 2` has one as well."""
    words = [each.text for each in found[max(0, at - 3) : at]]
    return "between" not in words


def _list(found: list[Token], at: int) -> tuple[int, dict[str, str]]:
    """The list of labels that begins at the token `labels`: its last token's place, and its pairs."""
    labels: dict[str, str] = {}
    here = at + 3
    while True:
        pair = found[here : here + 4]
        if len(pair) < 4 or pair[1].text != "=" or any(each.kind != "string" for each in (pair[0], pair[2])):
            raise LabelError(found[min(here, len(found) - 1)].start, 'want labels as ["key"="value", …], at least one')
        key, value = pair[0].text[1:-1], pair[2].text[1:-1]
        _check(pair[0], key, 1, MOST_KEY_CHARS, "key")
        _check(pair[2], value, 0, MOST_VALUE_CHARS, "value")
        if key in labels:
            raise LabelError(pair[0].start, f'the label "{key}" stands twice')
        labels[key] = value
        if pair[3].text == "]":
            break
        if pair[3].text != ",":
            raise LabelError(pair[3].start, "want a comma or ] after a label")
        here += 4
    if len(labels) > MOST_LABELS:
        raise LabelError(found[at].start, f"at most {MOST_LABELS} labels")
    return here + 3, labels


def _check(token: Token, text: str, least: int, most: int, what: str) -> None:
    if not least <= len(text) <= most:
        raise LabelError(token.start, f"a label's {what} has {least} to {most} characters, not {len(text)}")
