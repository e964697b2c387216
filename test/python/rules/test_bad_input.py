"""Batches that are not as they should be, through the films' job: no row is lost and none is doubled."""

from __future__ import annotations

import gzip

import pytest
from rules.conftest import ROOT, Lake, Outcome

pytestmark = pytest.mark.spark

FILMS = 150
Batch = list[bytes]


@pytest.fixture(scope="module")
def lines() -> Batch:
    """A header and films, as lines without their ends."""
    return gzip.decompress((ROOT / "sample-data" / "movies.csv.gz").read_bytes()).split(b"\n")[: FILMS + 1]


def run(lake: Lake, *files: Batch) -> Outcome:
    """Run the job on files of these lines."""
    lake.put_batch("movies", *(b"\n".join(lines) + b"\n" for lines in files))
    return lake.run("movies")


def rules_broken(outcome: Outcome) -> set[str]:
    return {rule for row in outcome.quarantined for rule in row["rules_broken"].split("\n")}


def in_latin1(lines: Batch) -> Batch:
    return [line.decode().encode("latin-1", errors="replace") for line in lines]


def with_the_id_last_and_a_new_column(lines: Batch) -> Batch:
    """Moves the second column to the end; the first two have neither quotes nor commas in them."""
    parts = [line.split(b",", 2) for line in lines]
    new = [b"studio", *([b"somewhere"] * FILMS)]
    return [b",".join([first, rest, more, second]) for (first, second, rest), more in zip(parts, new, strict=True)]


def test_columns_may_be_more_and_in_another_order(lake: Lake, lines: Batch) -> None:
    outcome = run(lake, with_the_id_last_and_a_new_column(lines))
    assert outcome.quarantined == []
    assert len(outcome.staged["movies"]) == outcome.read == FILMS
    first = next(film for film in outcome.staged["movies"] if film["imdb_id"] == "tt0498329")
    assert (first["wikidata_id"], first["title"], first["runtime_minutes"]) == (372, "We Live in Public", 90)


def test_latin1_is_quarantined_where_it_shows(lake: Lake, lines: Batch) -> None:
    changed = in_latin1(lines)
    outcome = run(lake, changed)
    plain = sum(line.isascii() for line in changed[1:])
    assert len(outcome.staged["movies"]) == plain < FILMS
    assert rules_broken(outcome) == {'ColumnValues "row_encoding" in ["utf-8"]'}
    assert outcome.reconciles("movies")


def test_only_the_odd_rows_of_several_files_are_quarantined(lake: Lake, lines: Batch) -> None:
    """Too many fields, too few, a field of a megabyte; and ten rows that stand in both files."""
    wide, narrow = lines[1] + b",more,and more", lines[2].rsplit(b",", 3)[0]
    long = lines[3].replace(b",", b"," + b"x" * 1_000_000, 2).replace(b"x" * 1_000_000, b"", 1)
    outcome = run(lake, [lines[0], wide, narrow, long, *lines[4:100]], [lines[0], *lines[90:]])
    found = {row["imdb_id"]: row for row in outcome.quarantined}
    ids = [line.split(b",")[1].decode() for line in (wide, narrow, long)]
    assert sorted(found) == sorted(ids)
    assert [found[film]["rules_broken"] for film in ids] == [
        'ColumnValues "row_shape" in ["complete"]',
        'ColumnValues "row_shape" in ["complete"]',
        'ColumnValues "row_lengths" in ["fitting"]',
    ]
    assert len(found[ids[2]]["title"]) > 1_000_000
    assert (outcome.read, outcome.distinct) == (FILMS + 10, FILMS)
    assert outcome.reconciles("movies")


def test_a_header_alone_gives_nothing(lake: Lake, lines: Batch) -> None:
    outcome = run(lake, lines[:1])
    assert (outcome.read, outcome.staged.get("movies", []), outcome.quarantined) == (0, [], [])


def test_a_missing_column_fails_the_job_by_its_name(lake: Lake, lines: Batch) -> None:
    with pytest.raises(Exception, match="wikidata_qid"):
        run(lake, [line.split(b",", 1)[1] for line in lines])
