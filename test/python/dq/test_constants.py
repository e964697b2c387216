"""Constants that stand for one text are put in place, and errors keep their place."""

from __future__ import annotations

import pytest

from local.dq.constants import ConstantError, put_constants

TEXT = """short = "a longer text"
many = ["a", "b"]
Rules = [ ColumnValues "x" in [$short, $short], ColumnValues "$short" in $many ]"""


def test_a_text_is_put_in_place_and_a_list_is_left_to_the_parser() -> None:
    resolved = put_constants(TEXT)
    rules = resolved.text.splitlines()[2]
    assert rules == 'Rules = [ ColumnValues "x" in ["a longer text", "a longer text"], ColumnValues "$short" in $many ]'


def test_columns_behind_a_constant_are_where_they_were() -> None:
    resolved = put_constants(TEXT)
    before, after = TEXT.splitlines()[2], resolved.text.splitlines()[2]
    for part in ("Rules", '"x"', ", Col", "$many"):
        assert resolved.column(3, after.index(part)) == before.index(part)
    assert resolved.column(1, 40) == 40


def test_a_constant_that_nothing_defines() -> None:
    with pytest.raises(ConstantError, match=r"\$nope is not defined") as told:
        put_constants('Rules = [ ColumnValues "x" = $nope ] # $comment')
    assert told.value.offset == 29
