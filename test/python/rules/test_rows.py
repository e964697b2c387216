"""The row rules, run by the jobs' own scripts, against the maker's manifest of faults."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from rules.conftest import DATE, Lake, Outcome, manifest, sample

pytestmark = pytest.mark.spark

# Two ids stand twice in the source, with different content.
NOT_UNIQUE_IN_SOURCE = {"182692", "1393195", "3620669", "5036736"}
RATINGS = 20_000
# Nine rows of each of 23 kinds, and nine pairs that contradict each other.
SPOILED_FILMS, ADDED_FILMS = 23 * 9 + 18, 9


@pytest.fixture(scope="module")
def spoiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sample with a few faults of every kind in its rows."""
    return sample(tmp_path_factory.mktemp("spoiled"), "--faults", "rows", "--ratings", str(RATINGS))


@pytest.fixture(scope="module")
def movies(lake: Lake, spoiled: Path) -> Outcome:
    """The films of the spoiled sample, run through their job."""
    lake.put_batch("movies", (spoiled / "movies" / "movies.csv").read_bytes())
    return lake.run("movies")


@pytest.fixture(scope="module")
def ratings(lake: Lake, spoiled: Path, movies: Outcome) -> Outcome:
    """The ratings of the spoiled sample, run through their job, which knows the films that came through."""
    lake.publish("movies", [film["imdb_id"] for film in movies.staged["movies"]])
    lake.put_batch("ratings", (spoiled / "ratings" / "ratings.csv").read_bytes())
    return lake.run("ratings")


def identity(row: dict[str, Any], columns: tuple[str, ...]) -> tuple[Any, ...]:
    return tuple(row.get(column) for column in columns)


def broken_rules(row: dict[str, Any]) -> list[str]:
    return row["rules_broken"].split("\n")


def test_each_spoiled_film_is_quarantined_under_the_rule_that_must_catch_it(spoiled: Path, movies: Outcome) -> None:
    found = {row["wikidata_qid"]: broken_rules(row) for row in movies.quarantined}
    faults = [fault for fault in manifest(spoiled) if fault["dataset"] == "movies" and fault["rule"] != "duplicate"]
    assert len(faults) == SPOILED_FILMS
    missed = [fault for fault in faults if fault["rule"] not in found.get(fault["row"]["wikidata_qid"], [])]
    assert missed == []


def test_no_sound_film_is_quarantined(spoiled: Path, movies: Outcome) -> None:
    faults = {fault["row"]["wikidata_qid"] for fault in manifest(spoiled) if fault["dataset"] == "movies"}
    found = {row["wikidata_qid"] for row in movies.quarantined}
    assert found - faults == NOT_UNIQUE_IN_SOURCE


def test_films_reconcile_to_the_row(spoiled: Path, movies: Outcome) -> None:
    equal = sum(fault["rule"] == "duplicate" for fault in manifest(spoiled) if fault["dataset"] == "movies")
    assert movies.read == 17_472 + ADDED_FILMS + equal
    assert movies.distinct == 17_472 + ADDED_FILMS
    assert len(movies.staged["movies"]) == movies.distinct - SPOILED_FILMS - len(NOT_UNIQUE_IN_SOURCE)
    assert movies.reconciles("movies")


def test_films_are_typed_and_lists_are_split(movies: Outcome) -> None:
    assert movies.schemas["movies"] == {
        "imdb_id": "string",
        "wikidata_id": "int64",
        "title": "string",
        "release_year": "int32",
        "certificate": "string",
        "runtime_minutes": "int32",
        "released_on": "date32[day]",
        "director": "string",
        "writer": "string",
        "actors": "string",
        "critics_score": "int32",
        "awards": "string",
        "oscars": "int32",
        "rt_rating": "decimal128(3, 1)",
        "rt_meter": "int32",
        "rt_reviews": "int32",
        "rt_fresh": "int32",
        "rt_rotten": "int32",
        "box_office_usd": "decimal128(14, 2)",
        "production": "string",
    }
    gangsters = next(film for film in movies.staged["movies"] if film["imdb_id"] == "tt1741542")
    assert (gangsters["title"], gangsters["release_year"], gangsters["runtime_minutes"]) == ("A Gang Story", 2011, 103)
    assert (str(gangsters["released_on"]), gangsters["certificate"]) == ("2011-11-10", None)
    genres = [row["genre"] for row in movies.staged["movie_genres"] if row["imdb_id"] == "tt1741542"]
    assert sorted(genres) == ["Crime", "Drama"]


@pytest.mark.parametrize(
    ("table", "least"), [("genres", 30_000), ("countries", 19_000), ("people", 230_000), ("studios", 13_000)]
)
def test_bridges_are_distinct_and_named_and_of_known_films(movies: Outcome, table: str, least: int) -> None:
    rows = [tuple(row.values()) for row in movies.staged[f"movie_{table}"]]
    assert len(rows) == len(set(rows)) > least
    assert all(name and name == name.strip() for _, name, *_ in rows)
    assert {film for film, *_ in rows} <= {film["imdb_id"] for film in movies.staged["movies"]}


def test_people_and_studios_keep_the_commas_in_their_names(movies: Outcome) -> None:
    people = {(row["role"], row["name"]) for row in movies.staged["movie_people"]}
    assert {role for role, _ in people} == {"director", "writer", "actor"}
    assert {("director", "George Tillman Jr."), ("writer", "Earl Hamner Jr."), ("actor", "Ed Begley Jr.")} <= people
    studios = {row["studio"] for row in movies.staged["movie_studios"]}
    assert {"Tokyopop Inc.", "Banger Films Inc", "Screen Gems"} <= studios
    torn = re.compile(r"([JS]r|I{2,3}|[0-9]+(st|nd|rd|th) .*)[.]?")
    assert [name for _, name in people if torn.fullmatch(name)] == []
    assert not {"Inc", "Inc.", "LLC", "Ltd."} & studios


def test_each_spoiled_rating_is_quarantined_under_the_rule_that_must_catch_it(spoiled: Path, ratings: Outcome) -> None:
    columns = ("user_id", "imdb_id", "rating", "rated_at")
    found = {identity(row, columns): broken_rules(row) for row in ratings.quarantined}
    faults = [fault for fault in manifest(spoiled) if fault["dataset"] == "ratings" and fault["rule"] != "duplicate"]
    assert Counter(fault["fault"] for fault in faults) == {
        "unknown_film": 10,
        "rating_out_of_scale": 10,
        "rating_between_stars": 10,
        "wrong_encoding": 10,
        "negative_number": 10,
        "future_time": 10,
        "text_in_number": 30,
        "missing_user": 10,
        "too_many_fields": 10,
        "too_few_fields": 10,
        "conflicting_row": 20,
    }
    missed = [fault for fault in faults if fault["rule"] not in found.get(identity(fault["row"], columns), [])]
    assert missed == []


def test_no_sound_rating_is_quarantined(spoiled: Path, ratings: Outcome) -> None:
    faults = [fault for fault in manifest(spoiled) if fault["dataset"] == "ratings" and fault["rule"] != "duplicate"]
    assert len(ratings.quarantined) == len(faults)


def test_ratings_reconcile_to_the_row(spoiled: Path, ratings: Outcome) -> None:
    equal = sum(fault["rule"] == "duplicate" for fault in manifest(spoiled) if fault["dataset"] == "ratings")
    assert ratings.read == RATINGS
    assert ratings.distinct == RATINGS - equal
    assert ratings.reconciles("ratings")


def test_ratings_are_typed(spoiled: Path, ratings: Outcome) -> None:
    assert ratings.schemas["ratings"] == {
        "user_id": "int64",
        "imdb_id": "string",
        "rating": "decimal128(2, 1)",
        "rated_at": "timestamp[ns]",
    }
    line = (spoiled / "ratings" / "ratings.csv").read_text(errors="replace").splitlines()[1]
    staged = {
        f"{row['user_id']},{row['imdb_id']},{row['rating']},{int(row['rated_at'].timestamp())}"
        for row in ratings.staged["ratings"]
    }
    assert line in staged


def test_a_quarantined_row_keeps_its_text_as_it_came(spoiled: Path, ratings: Outcome) -> None:
    surplus = [row for row in ratings.quarantined if "beyond_last_column" in row]
    assert {row["beyond_last_column"] for row in surplus} == {"surplus"}
    assert all(row["ingest_date"] == DATE for row in ratings.quarantined)
    known = {"user_id", "imdb_id", "rating", "rated_at", "beyond_last_column", "ingest_date", "rules_broken"}
    assert all(row.keys() <= known for row in ratings.quarantined)
