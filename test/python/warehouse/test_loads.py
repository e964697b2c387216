"""The law of re-runs: whatever ran before, the warehouse is what the newest version of each batch gives."""

from __future__ import annotations

import json
import re

import pytest
from running_cloud import ROOT, RunningCloud
from warehouse.support import Warehouse, deployed_plan, of_run

DATASETS = json.loads((ROOT / "datasets.json").read_text(encoding="utf-8"))


TABLES = [table for dataset in DATASETS for table in dataset["tables"]]


@pytest.fixture
def warehouse(cloud: RunningCloud) -> Warehouse:
    """A warehouse with the schema applied."""
    return Warehouse(cloud).create().apply_schema()


def film(number: int, title: str = "", genres: tuple[str, ...] = ("Drama",)) -> dict:
    return {"imdb_id": f"tt{number:07}", "title": title or f"Film {number}", "genres": genres}


def movies(*films: dict) -> dict[str, list[dict]]:
    """A batch of films as the job publishes it."""
    return {
        "movies": [{key: each[key] for key in ("imdb_id", "title")} for each in films],
        "movie_genres": [{"imdb_id": each["imdb_id"], "genre": genre} for each in films for genre in each["genres"]],
        "movie_countries": [],
        "movie_people": [],
        "movie_studios": [],
    }


def rating(user: int, number: int, stars: float, at: str = "2024-01-01T10:00:00") -> dict:
    return {"user_id": user, "imdb_id": f"tt{number:07}", "rating": stars, "rated_at": at}


def films_of(warehouse: Warehouse) -> list[list]:
    return warehouse.rows(
        "select f.imdb_id, f.title, f.ingest_date, g.genre from analytics.movies as f"
        " left join analytics.movie_genres as g on f.imdb_id = g.imdb_id order by 1, 4"
    )


def test_a_load_counts_and_is_audited(warehouse: Warehouse) -> None:
    counts = warehouse.stage("movies", movies(film(1), film(2)), bad=["rule a\nrule b", "rule a\nrule b", "rule c"])
    assert counts == [[[2, 3]], [["rule a\nrule b", 2], ["rule c", 1]]]
    described = warehouse.done(*warehouse.load_statements("movies"), **of_run("2024-01-01"))
    assert warehouse.result(described["SubStatements"][-1]["Id"]) == [["movies", 2]]
    assert warehouse.rows(
        "select execution, dataset, ingest_date, rows_read, rows_processed, rows_quarantined, rows_duplicate,"
        " rows_loaded from audit.loads"
    ) == [["run-2024-01-01", "movies", "2024-01-01", 4, 2, 1, 1, 2]]


def test_the_same_batch_twice_is_loaded_once(warehouse: Warehouse) -> None:
    for _ in range(2):
        warehouse.load("2024-01-01", movies=movies(film(1), film(2)), ratings={"ratings": [rating(1, 1, 4.5)]})
    assert warehouse.rows("select count(*) from history.movies") == [[2]]
    assert warehouse.rows("select count(*) from history.ratings") == [[1]]
    assert warehouse.rows("select count(*) from audit.loads") == [[2]]


def hashes(warehouse: Warehouse) -> dict[str, str]:
    return dict(warehouse.rows("select dataset, rows_hash from audit.loads"))


def test_equal_rows_have_an_equal_hash_in_any_order_and_others_another(warehouse: Warehouse) -> None:
    films, stars = [film(1), film(2, genres=("Comedy", "Drama"))], [rating(1, 1, 4.5), rating(2, 1, 4.5)]
    warehouse.load("2024-01-01", movies=movies(*films), ratings={"ratings": stars})
    first = hashes(warehouse)
    assert len(set(first.values()) - {"0", None}) == 2

    warehouse.load("2024-01-01", movies=movies(*reversed(films)), ratings={"ratings": stars[::-1]})
    assert hashes(warehouse) == first

    warehouse.load(
        "2024-01-01", movies=movies(film(1), film(2, genres=("Comedy",))), ratings={"ratings": stars[:1] * 2}
    )
    other = hashes(warehouse)
    assert other["movies"] != first["movies"] and other["ratings"] not in (first["ratings"], "0")


def test_a_text_of_a_run_never_becomes_a_statement(warehouse: Warehouse) -> None:
    warehouse.load("2024-01-01", movies=movies(film(1)))
    warehouse.stage("movies", movies(film(2)))
    hostile = {**of_run("2024-01-02"), "execution": "x' or '1'='1"}
    warehouse.done(*warehouse.load_statements("movies"), **hostile)
    assert warehouse.rows("select execution from audit.loads order by 1") == [["run-2024-01-01"], ["x' or '1'='1"]]


def test_a_corrected_batch_takes_away_what_it_dropped(warehouse: Warehouse) -> None:
    warehouse.load("2024-01-01", movies=movies(film(1), film(2, genres=("Comedy", "Drama"))))
    warehouse.load("2024-01-01", movies=movies(film(2, "New title", ("Comedy",))))
    assert films_of(warehouse) == [["tt0000002", "New title", "2024-01-01", "Comedy"]]


def test_an_older_date_never_overrides_a_newer(warehouse: Warehouse) -> None:
    warehouse.load("2024-01-02", movies=movies(film(1, "Newer", ("Comedy",))))
    warehouse.load("2024-01-01", movies=movies(film(1, "Older", ("Drama", "War")), film(2)))
    assert films_of(warehouse) == [
        ["tt0000001", "Newer", "2024-01-02", "Comedy"],
        ["tt0000002", "Film 2", "2024-01-01", "Drama"],
    ]


def test_the_newest_rating_of_a_user_film_and_time_counts(warehouse: Warehouse) -> None:
    warehouse.load("2024-01-02", ratings={"ratings": [rating(1, 1, 2)]})
    warehouse.load("2024-01-01", ratings={"ratings": [rating(1, 1, 5), rating(1, 1, 3, "2024-01-01T11:00:00")]})
    assert warehouse.rows("select rating, ingest_date from analytics.ratings order by rated_at") == [
        ["2.0", "2024-01-02"],
        ["3.0", "2024-01-01"],
    ]


def test_marts_are_there_before_ratings_and_with_ratings_of_unknown_films(warehouse: Warehouse) -> None:
    warehouse.load("2024-01-01", movies=movies(film(1)))
    for mart in warehouse.marts:
        assert warehouse.rows(f"select count(*) from marts.{mart}")[0][0] >= 0
    assert warehouse.rows("select count(*) from marts.rating_activity_by_month") == [[0]]
    unknown = [rating(user, 99, 4) for user in range(40)]
    warehouse.load("2024-01-01", ratings={"ratings": unknown})
    assert warehouse.rows("select ratings, users, films from marts.rating_activity_by_month") == [[40, 40, 1]]
    assert warehouse.rows("select count(*) from marts.divisive_films") == [[0]]
    assert warehouse.rows("select count(*) from marts.ratings_by_genre_decade") == [[0]]


def contents(warehouse: Warehouse) -> list:
    tables = [f"{schema}.{table}" for schema in ("history", "analytics") for table in TABLES] + ["audit.loads"]
    marts = [f"marts.{mart}" for mart in warehouse.marts]
    return [sorted(map(str, warehouse.rows(f"select * from {table}"))) for table in tables + marts]


def test_a_crash_at_any_statement_leaves_the_old_state(warehouse: Warehouse) -> None:
    warehouse.load("2024-01-01", movies=movies(film(1)), ratings={"ratings": [rating(1, 1, 4)]})
    before = contents(warehouse)
    warehouse.stage("movies", movies(film(2)))
    warehouse.stage("ratings", {"ratings": [rating(2, 2, 1)]})
    statements = warehouse.load_statements("movies", "ratings")
    for position in range(len(statements) + 1):
        broken = [*statements[:position], "insert into audit.loads values (1)", *statements[position:]]
        assert f"Query #{position + 1} failed" in warehouse.error(*broken, **of_run("2024-01-01"))
    assert contents(warehouse) == before


def test_an_older_schema_gains_the_columns_it_lacks(cloud: RunningCloud) -> None:
    """As the workflow does: compare information_schema with the plan, add what is missing, then load as ever."""
    warehouse, plan = Warehouse(cloud).create(), deployed_plan()
    old = [re.sub(r" *title varchar\(400\)( not null)?,\n", "", sql) for sql in plan["schema"]]
    assert old != plan["schema"]
    warehouse.done(*old)
    warehouse.done(*plan["schema"])
    present = warehouse.rows(
        "select table_schema, table_name, column_name from information_schema.columns"
        " where table_schema in ('staging', 'history', 'audit')"
    )
    missing = [c for c in plan["columns"] if [c["schema"], c["table"], c["column"]] not in present]
    assert [(c["schema"], c["column"]) for c in missing] == [("staging", "title"), ("history", "title")]
    adding = [f"alter table {c['schema']}.{c['table']} add column {c['column']} {c['type']}" for c in missing]
    warehouse.done(*adding, *plan["views"])
    warehouse.load("2024-01-01", movies=movies(film(1, "Kept by name")))
    assert films_of(warehouse) == [["tt0000001", "Kept by name", "2024-01-01", "Drama"]]
