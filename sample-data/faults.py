"""The faults the maker can inject, and the rule that must catch each.

A rule stands here word for word as in dqdl-rules/. `DUPLICATE` is no rule: an equal row is dropped, not quarantined.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import cycle, islice
from random import Random

DUPLICATE = "duplicate"
DAY = 86_400

Fields = dict[str, str]


@dataclass(frozen=True)
class RowFault:
    """A way to spoil one row.

    `spoil` changes the fields in place, given the time at which the batch ends (seconds since 1970 UTC) and a number
    that differs from row to row. `adds`: the spoiled row is a copy that follows its original. `spoils_original`: the
    original then breaks the rule as well. `fields` is how many fields the row is to have more (or fewer) than it
    should.
    """

    name: str
    column: str
    rule: str
    spoil: Callable[[Fields, int, int], None]
    adds: bool = False
    spoils_original: bool = False
    fields: int = 0


@dataclass(frozen=True)
class BatchFault:
    """A way to spoil a whole batch, and the gate rule that must catch it."""

    name: str
    column: str | None
    rule: str


def _set(column: str, value: str) -> Callable[[Fields, int, int], None]:
    def spoil(fields: Fields, batch_end: int, number: int) -> None:
        fields[column] = value

    return spoil


def _unchanged(fields: Fields, batch_end: int, number: int) -> None:
    pass


def _optional(column: str, condition: str) -> str:
    return f"""ColumnValues "{column}_typed" {condition} where "trim({column}) <> ''\""""


def _latin1_title(fields: Fields, batch_end: int, number: int) -> None:
    # The writer encodes a lone surrogate as the byte it stands for: an e with acute accent in Latin-1.
    fields["title"] = f"Caf\udce9 {fields['title']}"


def _long_title(fields: Fields, batch_end: int, number: int) -> None:
    fields["title"] = fields["title"] + " and so on" * 200


_RUNTIME = _optional("runtime_min", "between 0 and 1500")
_METACRITIC = _optional("metacritic", "between -1 and 101")
_BOX_OFFICE = _optional("box_office_usd", "> 0")
_COMPLETE = 'ColumnValues "row_shape" in ["complete"]'
_YEAR = 'ColumnValues "year_typed" between 1887 and 2036'
_STARS = 'ColumnValues "rating_typed" between 0.4 and 5.1'
_USER = 'IsComplete "user_id_typed"'
_KEY = 'IsUnique "rating_key"'

MOVIE_FAULTS = (
    RowFault("missing_id", "imdb_id", 'IsComplete "imdb_id_typed"', _set("imdb_id", "")),
    RowFault("impossible_year", "year", _YEAR, _set("year", "2995")),
    RowFault("negative_runtime", "runtime_min", _RUNTIME, _set("runtime_min", "-5")),
    RowFault("text_in_number", "metacritic", _METACRITIC, _set("metacritic", "ninety")),
    RowFault("text_in_number", "year", _YEAR, _set("year", "MCMXCIX")),
    RowFault("text_in_number", "box_office_usd", _BOX_OFFICE, _set("box_office_usd", "2 million")),
    RowFault("wrong_encoding", "title", 'ColumnValues "row_encoding" in ["utf-8"]', _latin1_title),
    RowFault("text_too_long", "title", 'ColumnValues "row_lengths" in ["fitting"]', _long_title),
    RowFault("too_many_fields", "beyond_last_column", _COMPLETE, _unchanged, fields=1),
    RowFault("too_few_fields", "production", _COMPLETE, _unchanged, fields=-2),
    RowFault("equal_row", "imdb_id", DUPLICATE, _unchanged, adds=True),
)


def _unknown_film(fields: Fields, batch_end: int, number: int) -> None:
    fields["imdb_id"] = f"tt{90_000_000 + number}"


def _future(fields: Fields, batch_end: int, number: int) -> None:
    fields["rated_at"] = str(batch_end + DAY + number)


def _other_stars(fields: Fields, batch_end: int, number: int) -> None:
    fields["rating"] = "1.0" if fields["rating"] != "1.0" else "5.0"


RATING_FAULTS = (
    RowFault("unknown_film", "imdb_id", 'IsComplete "known_imdb_id"', _unknown_film),
    RowFault("rating_out_of_scale", "rating", _STARS, _set("rating", "11")),
    RowFault("future_time", "rated_at", 'ColumnValues "seconds_before_batch_end" >= 0', _future),
    RowFault("text_in_number", "rating", _STARS, _set("rating", "four")),
    RowFault("text_in_number", "user_id", _USER, _set("user_id", "anna")),
    RowFault("text_in_number", "rated_at", 'ColumnValues "rated_at_typed" > 631151999', _set("rated_at", "yesterday")),
    RowFault("missing_user", "user_id", _USER, _set("user_id", "")),
    RowFault("too_many_fields", "beyond_last_column", _COMPLETE, _unchanged, fields=1),
    RowFault("too_few_fields", "rated_at", _COMPLETE, _unchanged, fields=-1),
    RowFault("equal_row", "user_id", DUPLICATE, _unchanged, adds=True),
    RowFault("conflicting_row", "rating", _KEY, _other_stars, adds=True, spoils_original=True),
)

ROW_FAULTS: Mapping[str, tuple[RowFault, ...]] = {"movies": MOVIE_FAULTS, "ratings": RATING_FAULTS}

BATCH_FAULTS: Mapping[str, tuple[BatchFault, ...]] = {
    "movies": (
        BatchFault("column_gone", "year", 'ColumnExists "year"'),
        BatchFault("half_the_rows", None, "RowCount > 10000"),
        BatchFault("key_not_unique", "imdb_id", 'Uniqueness "imdb_id" > 0.98'),
    ),
    "ratings": (
        BatchFault("column_gone", "rating", 'ColumnExists "rating"'),
        BatchFault("half_the_rows", None, "RowCount > 50000"),
        BatchFault(
            "key_not_unique",
            "user_id, imdb_id, rated_at",
            'CustomSql "select count(distinct user_id, imdb_id, rated_at) / count(*) from primary" > 0.98',
        ),
    ),
}


def assign(rng: Random, kinds: tuple[RowFault, ...], rows: int, each: int) -> dict[int, RowFault]:
    """Chooses the rows to spoil, `each` a kind: odd ones alone, so that no two spoiled rows are neighbours."""
    odd = range(1, rows, 2)
    chosen = rng.sample(odd, min(each * len(kinds), len(odd)))
    return dict(zip(chosen, islice(cycle(kinds), len(chosen)), strict=True))
