"""The saved queries, each on the films and ratings of the sample, asked by an analyst."""

from __future__ import annotations

import csv
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from running_cloud import RunningCloud
from warehouse.support import ROOT, Warehouse, of_run
from warehouse.test_access import assume

QUERIES = sorted((ROOT / "sql/queries").glob("*.sql"))
LISTS = {
    "movie_genres": ("genre", "genre"),
    "movie_countries": ("country", "country"),
    "movie_studios": ("production", "studio"),
}
ROLES = {"director": "director", "writer": "writer", "actor": "cast"}


def whole(text: str) -> int | None:
    """A whole number of the sample, which writes some as 90.0."""
    return int(float(text)) if text else None


def names(text: str) -> set[str]:
    """A list of the sample; the job knows better which commas separate."""
    return {name.strip() for name in text.split(",") if name.strip()}


def films(path: Path) -> dict[str, list[dict]]:
    """The batch of films, as far as the queries go."""
    batch: dict[str, list[dict]] = {"movies": [], "movie_people": [], **{table: [] for table in LISTS}}
    for row in csv.DictReader(path.open(encoding="utf-8")):
        key = {"imdb_id": row["imdb_id"]}
        batch["movies"].append(
            {
                **key,
                "title": row["title"],
                "release_year": whole(row["year"]),
                "released_on": row["released"] or None,
                "critics_score": whole(row["metacritic"]),
                "box_office_usd": f"{float(row['box_office_usd']):.2f}" if row["box_office_usd"] else None,
            }
        )
        for table, (source, column) in LISTS.items():
            batch[table] += [{**key, column: name} for name in names(row[source])]
        for role, source in ROLES.items():
            batch["movie_people"] += [{**key, "name": name, "role": role} for name in names(row[source])]
    return batch


def ratings(path: Path) -> dict[str, list[dict]]:
    """The batch of ratings."""
    return {
        "ratings": [
            {
                "user_id": int(row["user_id"]),
                "imdb_id": row["imdb_id"],
                "rating": row["rating"],
                "rated_at": datetime.fromtimestamp(int(row["rated_at"]), UTC).replace(tzinfo=None).isoformat(),
            }
            for row in csv.DictReader(path.open(encoding="utf-8"))
        ]
    }


@pytest.fixture(scope="module")
def analyst(cloud: RunningCloud, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """A warehouse with the sample in it, as an analyst sees it."""
    folder = tmp_path_factory.mktemp("sample")
    subprocess.run([sys.executable, str(ROOT / "sample-data/make_sample.py"), "--out", str(folder)], check=True)
    warehouse = Warehouse(cloud).create().apply_schema()
    warehouse.stage("movies", films(folder / "movies/movies.csv"))
    warehouse.stage("ratings", ratings(folder / "ratings/ratings.csv"), ["a rule"])
    warehouse.done(*warehouse.load_statements("movies", "ratings"), **of_run("2024-01-01"))
    return assume(warehouse, RedshiftDbRoles="analyst")


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.stem)
def test_a_saved_query_asks_a_question_and_gets_rows(analyst: Warehouse, query: Path) -> None:
    text = query.read_text(encoding="utf-8")
    question = re.match(r"(--.*\n)+", text)
    assert question and "?" in question[0]
    assert "order by" in text.rpartition(")")[2], "the order of rows must not be chance"
    rows = analyst.rows(text)
    assert 1 <= len(rows) <= 100
    assert analyst.rows(text) == rows


def test_the_readme_answers_five_of_them() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = re.findall(r"^\$ bin/pipeline query --file (\w+)$", readme, re.MULTILINE)
    assert len(shown) == 5
    assert set(shown) <= {query.stem for query in QUERIES}


def test_the_documentation_lists_every_mart_and_query() -> None:
    text = (ROOT / "docs/warehouse.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)) - {
        "staging",
        "history",
        "audit",
        "analytics",
        "marts",
    }
    assert listed == {path.stem for folder in ("marts", "queries") for path in (ROOT / "sql" / folder).glob("*.sql")}
