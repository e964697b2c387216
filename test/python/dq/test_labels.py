"""Labels are taken off a ruleset with every line and column left where it was."""

from __future__ import annotations

import pytest

from local.dq.labels import LabelError, take_labels

ELEVEN = ", ".join(f'"{number}"="x"' for number in range(11))


def test_what_is_taken_off_becomes_blanks() -> None:
    text = 'DefaultLabels = [\n "a"="b"\n]\nRules = [\n  IsComplete "id" labels = ["k"="v"],\n  RowCount > 1\n]'
    taken = take_labels(text)
    assert taken.default == {"a": "b"}
    assert (taken.of(0), taken.of(1)) == ({"a": "b", "k": "v"}, {"a": "b"})
    assert len(taken.text) == len(text)
    assert taken.text.index("RowCount") == text.index("RowCount")
    assert taken.text.count("\n") == text.count("\n")
    assert "abels" not in taken.text


@pytest.mark.parametrize(
    "text",
    [
        'Rules = [ IsComplete "labels" ] # labels = ["a"="b"]',
        'labels = ["a", "b"]\nRules = [ ColumnValues "x" in $labels ]',
        'Rules = [ CustomSql "select \\"labels = [ \\" from primary" > 1 ]',
    ],
)
def test_what_only_reads_like_labels_stays(text: str) -> None:
    assert take_labels(text).text == text


def test_labels_belong_to_the_rule_they_follow() -> None:
    text = """Rules = [
        RowCount between 1 and 2 labels=["r"="0"],
        ColumnValues "a" in ["x", "y"] where "b in (1, 2)" labels=["r"="1"] with threshold > 0.5,
        (IsComplete "a") or (IsComplete "b"),
        IsComplete "a" labels=["empty"=""],
        ((IsComplete "a") and (IsComplete "b")) labels=["r"="4"]
    ]"""
    taken = take_labels(text)
    assert taken.rules == {0: {"r": "0"}, 1: {"r": "1"}, 3: {"empty": ""}, 4: {"r": "4"}}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Rules = [ RowCount > 1 labels=[] ]", "at least one"),
        ('Rules = [ RowCount > 1 labels=["a"] ]', "at least one"),
        ('Rules = [ RowCount > 1 labels=["a"="b" "c"="d"] ]', "comma"),
        ('Rules = [ RowCount > 1 labels=["a"="b", "a"="c"] ]', "twice"),
        ('Rules = [ RowCount > 1 labels=[""="a"] ]', "key has 1 to 128 characters, not 0"),
        (f'Rules = [ RowCount > 1 labels=["a"="{"v" * 257}"] ]', "value has 0 to 256 characters, not 257"),
        ('Rules = [ (IsComplete "a" labels=["a"="b"]) and (RowCount > 1) ]', "a whole rule"),
        ('Rules = [ (IsComplete "a") and (RowCount > 1) labels=["a"="b"] ]', "a whole rule"),
        (f'Rules = [ RowCount > 1 labels=["{"k" * 129}"="b"] ]', "key has 1 to 128 characters, not 129"),
        (f"Rules = [ RowCount > 1 labels=[{ELEVEN}] ]", "at most 10"),
        ('DefaultLabels=["a"="b"]\nx = "y"\nRules = [ RowCount > 1 ]', "right before Rules"),
    ],
)
def test_labels_that_are_wrong(text: str, message: str) -> None:
    with pytest.raises(LabelError, match=message) as told:
        take_labels(text)
    assert 0 < told.value.offset + 1 <= len(text)


def test_labels_are_counted_with_those_of_the_ruleset() -> None:
    many = ", ".join(f'"{number}"="x"' for number in range(8))
    text = f'DefaultLabels=[{many}]\nRules = [ RowCount > 1 labels=["a"="b", "c"="d", "e"="f"] ]'
    with pytest.raises(LabelError, match="at most 10 labels, with those"):
        take_labels(text)
