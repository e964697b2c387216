"""The faults the maker can inject, and the rule that must catch each.

A rule stands here as Glue names it in its results: word for word as in dqdl-rules/, but for spaces in lists.
`DUPLICATE` is no rule: an equal row is dropped, not quarantined.
"""

import re
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
    """A way to spoil a whole batch, and the gate rule that must catch it.

    `spoil` gives a value of the column anew; without it, the maker itself knows what the name asks for.
    """

    name: str
    column: str | None
    rule: str
    spoil: Callable[[str], str] | None = None


def _set(column: str, value: str) -> Callable[[Fields, int, int], None]:
    def spoil(fields: Fields, batch_end: int, number: int) -> None:
        fields[column] = value

    return spoil


def _unchanged(fields: Fields, batch_end: int, number: int) -> None:
    pass


def _optional(column: str, condition: str) -> str:
    return f"""ColumnValues "{column}_typed" {condition} where "trim({column}) <> ''\""""


def _negated(column: str) -> Callable[[Fields, int, int], None]:
    def spoil(fields: Fields, batch_end: int, number: int) -> None:
        fields[column] = f"-{number + 1}"

    return spoil


def _latin1_title(fields: Fields, batch_end: int, number: int) -> None:
    # The writer encodes a lone surrogate as the byte it stands for: an e with acute accent in Latin-1.
    fields["title"] = f"Caf\udce9 {fields['title']}"


def _long_title(fields: Fields, batch_end: int, number: int) -> None:
    fields["title"] = fields["title"] + " and so on" * 200


def _other_title(fields: Fields, batch_end: int, number: int) -> None:
    fields["title"] = f"{fields['title']} (director's cut)"


def _another_year(fields: Fields, batch_end: int, number: int) -> None:
    fields["released"] = "1901-01-01" if fields["year"] > "1910" else "2001-01-01"


def _own_id(fields: Fields, batch_end: int, number: int) -> None:
    fields["imdb_id"] = f"nm{number:07}"


def _one_review_more(fields: Fields, batch_end: int, number: int) -> None:
    fields["rt_fresh"], fields["rt_rotten"], fields["rt_reviews"] = "3", "4", "8"


_RUNTIME = _optional("runtime_min", "between 0 and 1500")
_METACRITIC = _optional("metacritic", "between -1 and 101")
_BOX_OFFICE = _optional("box_office_usd", "> 0")
_ID_FORM = 'ColumnValues "imdb_id_typed" matches "^tt[0-9]{7,8}$" where "imdb_id_typed is not null"'
_RELEASED = """IsComplete "released_typed" where "trim(released) <> ''\""""
_SAME_YEAR = 'ColumnValues "years_from_release" between -2 and 2 where "years_from_release is not null"'
_CERTIFICATE = """ColumnValues "mpaa" in ["G","PG","PG-13","R","NC-17","M","GP","M/PG","X"] where "trim(mpaa) <> ''\""""
_REVIEWS = 'ColumnValues "rt_reviews_unexplained" = 0 where "rt_reviews_unexplained is not null"'
_COMPLETE = 'ColumnValues "row_shape" in ["complete"]'
_YEAR = 'ColumnValues "year_typed" between 1887 and 2036'
_STARS = 'ColumnValues "rating_typed" between 0.4 and 5.1'
_HALVES = 'ColumnValues "rating_halves_off" = 0 where "rating_halves_off is not null"'
_SOMEBODY = 'ColumnValues "user_id_typed" > 0 where "user_id_typed is not null"'
_USER = 'IsComplete "user_id_typed"'
_KEY = 'IsUnique "rating_key"'

MOVIE_FAULTS = (
    RowFault("missing_id", "imdb_id", 'IsComplete "imdb_id_typed"', _set("imdb_id", "")),
    RowFault("malformed_id", "imdb_id", _ID_FORM, _own_id),
    RowFault("conflicting_row", "title", 'IsUnique "imdb_id_typed"', _other_title, adds=True, spoils_original=True),
    RowFault("missing_title", "title", 'IsComplete "title_typed"', _set("title", " ")),
    RowFault("impossible_year", "year", _YEAR, _set("year", "2995")),
    RowFault("no_such_day", "released", _RELEASED, _set("released", "1999-02-30")),
    RowFault("released_in_another_year", "released", _SAME_YEAR, _another_year),
    RowFault("unknown_certificate", "mpaa", _CERTIFICATE, _set("mpaa", "PG-31")),
    RowFault("negative_runtime", "runtime_min", _RUNTIME, _set("runtime_min", "-5")),
    RowFault("negative_number", "wikidata_qid", _optional("wikidata_qid", "> 0"), _negated("wikidata_qid")),
    RowFault("text_in_number", "metacritic", _METACRITIC, _set("metacritic", "ninety")),
    RowFault("text_in_number", "year", _YEAR, _set("year", "MCMXCIX")),
    RowFault("text_in_number", "box_office_usd", _BOX_OFFICE, _set("box_office_usd", "2 million")),
    RowFault("more_oscars_than_given", "oscars", _optional("oscars", "between -1 and 21"), _set("oscars", "99")),
    RowFault("out_of_scale", "rt_rating", _optional("rt_rating", "between -0.1 and 10.1"), _set("rt_rating", "72")),
    RowFault("out_of_scale", "rt_meter", _optional("rt_meter", "between -1 and 101"), _set("rt_meter", "720")),
    RowFault("negative_number", "rt_reviews", _optional("rt_reviews", ">= 0"), _negated("rt_reviews")),
    RowFault("negative_number", "rt_fresh", _optional("rt_fresh", ">= 0"), _negated("rt_fresh")),
    RowFault("negative_number", "rt_rotten", _optional("rt_rotten", ">= 0"), _negated("rt_rotten")),
    RowFault("sum_that_differs", "rt_reviews", _REVIEWS, _one_review_more),
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


def _latin1_film(fields: Fields, batch_end: int, number: int) -> None:
    fields["imdb_id"] = f"{fields['imdb_id']}\udce9"


def _other_stars(fields: Fields, batch_end: int, number: int) -> None:
    fields["rating"] = "1.0" if fields["rating"] != "1.0" else "5.0"


RATING_FAULTS = (
    RowFault("unknown_film", "imdb_id", 'IsComplete "known_imdb_id"', _unknown_film),
    RowFault("rating_out_of_scale", "rating", _STARS, _set("rating", "11")),
    RowFault("rating_between_stars", "rating", _HALVES, _set("rating", "3.7")),
    RowFault("negative_number", "user_id", _SOMEBODY, _negated("user_id")),
    RowFault("future_time", "rated_at", 'ColumnValues "seconds_before_batch_end" >= 0', _future),
    RowFault("text_in_number", "rating", _STARS, _set("rating", "four")),
    RowFault("text_in_number", "user_id", _USER, _set("user_id", "anna")),
    RowFault("text_in_number", "rated_at", 'ColumnValues "rated_at_typed" > 631151999', _set("rated_at", "yesterday")),
    RowFault("missing_user", "user_id", _USER, _set("user_id", "")),
    RowFault("wrong_encoding", "imdb_id", 'ColumnValues "row_encoding" in ["utf-8"]', _latin1_film),
    RowFault("too_many_fields", "beyond_last_column", _COMPLETE, _unchanged, fields=1),
    RowFault("too_few_fields", "rated_at", _COMPLETE, _unchanged, fields=-1),
    RowFault("equal_row", "user_id", DUPLICATE, _unchanged, adds=True),
    RowFault("conflicting_row", "rating", _KEY, _other_stars, adds=True, spoils_original=True),
)

ROW_FAULTS: Mapping[str, tuple[RowFault, ...]] = {"movies": MOVIE_FAULTS, "ratings": RATING_FAULTS}

# A value that would pass alone, but tells that the whole column has another form than it had.
_ENGLISH_DAY = re.compile(r"(\d+)-(\d+)-(\d+)")


def _blank(value: str) -> str:
    return ""


def _day_first(value: str) -> str:
    return _ENGLISH_DAY.sub(r"\3/\2/\1", value)


def _in_hours(value: str) -> str:
    minutes = value.removesuffix(".0")
    return f"{int(minutes) // 60}h{int(minutes) % 60:02}" if minutes.isdecimal() else value


def _in_millions(value: str) -> str:
    return str(round(float(value) / 1_000_000, 3)) if value else value


def _in_milliseconds(value: str) -> str:
    return f"{value}000"


def _in_percent(value: str) -> str:
    return str(round(float(value) * 20)) if value else value


def _bare_number(value: str) -> str:
    return value.removeprefix("tt")


def _form(column: str, pattern: str, share: str, where: str = "") -> str:
    return f'ColumnValues "{column}" matches "{pattern}"{where} with threshold >= {share}'


def _gone(*columns: str) -> tuple[BatchFault, ...]:
    return tuple(BatchFault("column_gone", column, f'ColumnExists "{column}"') for column in columns)


def _dry(**forms: str) -> tuple[BatchFault, ...]:
    return tuple(BatchFault("column_dry", column, rule, _blank) for column, rule in forms.items())


_SOME_TEXT, _WHOLE_NUMBER = "^.*[^ ].*$", "^[0-9]+([.]0)?$"
_MOVIE_FORMS = {
    "imdb_id": _form("imdb_id", "^tt[0-9]{7,8}$", "0.98"),
    "title": _form("title", _SOME_TEXT, "0.98"),
    "year": _form("year", "^(18|19|20)[0-9]{2}$", "0.98"),
    "released": _form("released", "^[0-9]{4}-[0-9]{2}-[0-9]{2}$", "0.95"),
    "country": _form("country", _SOME_TEXT, "0.95"),
    "rt_reviews": _form("rt_reviews", _WHOLE_NUMBER, "0.95"),
    "genre": _form("genre", _SOME_TEXT, "0.9"),
    "director": _form("director", _SOME_TEXT, "0.9"),
    "runtime_min": _form("runtime_min", _WHOLE_NUMBER, "0.85"),
    "metacritic": _form("metacritic", _WHOLE_NUMBER, "0.25"),
    "box_office_usd": _form("box_office_usd", "^[0-9]+([.][0-9]+)?$", "0.1"),
}
_DOLLARS = _form("box_office_usd", "^[0-9]{4,}([.]0+)?$", "0.98", """ where "trim(box_office_usd) <> ''\"""")
_RATING_FORMS = {
    "user_id": _form("user_id", "^[0-9]+$", "0.98"),
    "rating": _form("rating", "^[0-5]([.][05])?$", "0.98"),
    "rated_at": _form("rated_at", "^[0-9]{9,10}$", "0.98"),
}

# The first of a name is the one that is meant where no column is named.
BATCH_FAULTS: Mapping[str, tuple[BatchFault, ...]] = {
    "movies": (
        *_gone("year", "wikidata_qid", "imdb_id", "title", "mpaa", "runtime_min", "genre", "released", "director"),
        *_gone("writer", "cast", "metacritic", "language", "country", "awards", "oscars", "rt_rating", "rt_meter"),
        *_gone("rt_reviews", "rt_fresh", "rt_rotten", "box_office_usd", "production"),
        BatchFault("half_the_rows", None, "RowCount > 10000"),
        BatchFault("key_not_unique", "imdb_id", 'Uniqueness "imdb_id" > 0.98'),
        *_dry(**_MOVIE_FORMS),
        BatchFault("other_form", "released", _MOVIE_FORMS["released"], _day_first),
        BatchFault("other_form", "runtime_min", _MOVIE_FORMS["runtime_min"], _in_hours),
        BatchFault("other_unit", "box_office_usd", _DOLLARS, _in_millions),
    ),
    "ratings": (
        *_gone("rating", "user_id", "imdb_id", "rated_at"),
        BatchFault("half_the_rows", None, "RowCount > 50000"),
        BatchFault(
            "key_not_unique",
            "user_id, imdb_id, rated_at",
            'CustomSql "select count(distinct user_id, imdb_id, rated_at) / count(*) from primary" > 0.98',
        ),
        *_dry(**_RATING_FORMS),
        BatchFault("other_form", "imdb_id", 'ReferentialIntegrity "imdb_id" "movies.imdb_id" >= 0.95', _bare_number),
        BatchFault("other_unit", "rated_at", _RATING_FORMS["rated_at"], _in_milliseconds),
        BatchFault("other_unit", "rating", _RATING_FORMS["rating"], _in_percent),
    ),
}


def assign(rng: Random, kinds: tuple[RowFault, ...], rows: int, each: int) -> dict[int, RowFault]:
    """Chooses the rows to spoil, `each` a kind: odd ones alone, so that no two spoiled rows are neighbours."""
    odd = range(1, rows, 2)
    chosen = rng.sample(odd, min(each * len(kinds), len(odd)))
    return dict(zip(chosen, islice(cycle(kinds), len(chosen)), strict=True))
