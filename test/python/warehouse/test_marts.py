"""Each mart with the rows of its data file: marts/<mart>.json.

A file gives films (a film with `times` stands for so many, numbered) and ratings (`times` users who gave these stars),
and the rows that the mart must then hold, in its order. Numbers are as the Data API gives them, exact ones as strings.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from running_cloud import RunningCloud
from warehouse.support import ROOT, Warehouse

CASES = Path(__file__).parent / "marts"
# Lists that a film of a case may have: the table that each fills, and the column of the name.
LISTS = {
    "genres": ("movie_genres", "genre"),
    "countries": ("movie_countries", "country"),
    "studios": ("movie_studios", "studio"),
    "director": ("movie_people", "name"),
    "writer": ("movie_people", "name"),
    "actor": ("movie_people", "name"),
}
NAMES = sorted(path.stem for path in (ROOT / "sql/marts").glob("*.sql"))


def films(case: dict) -> dict[str, list[dict]]:
    """The batch of films of a case."""
    batch: dict[str, list[dict]] = {"movies": [], **{table: [] for table, _ in LISTS.values()}}
    for given in case.get("films", []):
        film = {key: value for key, value in given.items() if key != "times" and key not in LISTS}
        for _ in range(given.get("times", 1)):
            number = f"tt{len(batch['movies']) + 1:07}"
            row = {"imdb_id": number, "title": f"Film {number}", **film}
            batch["movies"].append(row)
            for key, (table, column) in LISTS.items():
                role = {"role": key} if table == "movie_people" else {}
                batch[table] += [{"imdb_id": row["imdb_id"], column: value, **role} for value in given.get(key, [])]
    return batch


def ratings(case: dict) -> dict[str, list[dict]]:
    """The batch of ratings of a case; each of `times` is another user unless the user is named."""
    rows = []
    for given in case.get("ratings", []):
        for _ in range(given.get("times", 1)):
            row = {"user_id": len(rows) + 1, "rated_at": "2024-01-01T00:00:00", **given}
            rows.append({key: value for key, value in row.items() if key != "times"})
    return {"ratings": rows}


@pytest.fixture(scope="module")
def marts(cloud: RunningCloud) -> Warehouse:
    """One warehouse, loaded anew by each test."""
    return Warehouse(cloud).create().apply_schema()


@pytest.mark.parametrize("mart", NAMES)
def test_mart(marts: Warehouse, mart: str) -> None:
    case = json.loads((CASES / f"{mart}.json").read_text(encoding="utf-8"))
    marts.load_one_mart(mart, movies=films(case), ratings=ratings(case))
    assert marts.rows(f"select {', '.join(case['columns'])} from marts.{mart}") == case["rows"]
    names = [
        column["name"] for column in marts.data.describe_table(Schema="marts", Table=mart, **marts.target)["ColumnList"]
    ]
    assert set(case["columns"]) <= set(names)


@pytest.mark.parametrize("mart", NAMES)
def test_a_mart_states_its_question_grain_and_units(mart: str) -> None:
    header = re.match(r"(--.*\n)+", (ROOT / f"sql/marts/{mart}.sql").read_text(encoding="utf-8"))
    assert header
    for part in ("?", "-- Grain: one row a ", "Units: "):
        assert part in header[0]
    if "box_office" in (ROOT / f"sql/marts/{mart}.sql").read_text(encoding="utf-8"):
        assert "US dollars of the time" in header[0]


def test_every_mart_has_its_case() -> None:
    assert sorted(path.stem for path in CASES.glob("*.json")) == NAMES
