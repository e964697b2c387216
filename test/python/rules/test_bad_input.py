"""Batches that are not as they should be, through the films' job: no row is lost and none is doubled."""

from __future__ import annotations

import gzip

import pytest
from rules.conftest import ROOT, Lake, Outcome, constants

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


ODD_RATINGS = [
    "99999999999999999999,tt0498329,4.5,1700000001",
    "8,tt0498329,1e400,1700000002",
    "8,tt0498329,NaN,1700000003",
    "8,tt0498329,4.26,1700000004",
    "8,tt0498329,-0.0,1700000005",
    "8,tt0498329,4.5,-9223372036854775808",
    "8,tt0498329,4.5,1700000000000",
    "8,tt0498329,4.5,1.7e9",
    "-8,tt0498329,4.5,1700000006",
    "8,,4.5,1700000007",
    "not csv at all",
]


def put_odd_ratings(lake: Lake) -> None:
    lake.publish("movies", ["tt0498329"])
    lines = ["user_id,imdb_id,rating,rated_at", "7,tt0498329,4.5,1700000000", *ODD_RATINGS]
    lake.put_batch("ratings", "\n".join(lines).encode())


def test_numbers_beyond_their_types_are_quarantined(lake: Lake) -> None:
    put_odd_ratings(lake)
    outcome = lake.run("ratings")
    (staged,) = outcome.staged["ratings"]
    assert (staged["user_id"], str(staged["rating"]), staged["rated_at"].timestamp()) == (7, "4.5", 1_700_000_000)
    assert len(outcome.quarantined) == len(ODD_RATINGS)
    assert outcome.reconciles("ratings")


@pytest.mark.parametrize(("dataset", "query"), [("movies", "SqlQuery3"), ("ratings", "SqlQuery4")])
def test_columns_are_typed_alike_with_and_without_ansi_checks(
    lake: Lake, lines: Batch, dataset: str, query: str
) -> None:
    """Glue 6 runs Spark with ANSI checks, where a cast of a text that is no number fails the job."""
    if dataset == "ratings":
        put_odd_ratings(lake)
    else:
        odd = lines[1].replace(b",2009,", b",-2147483648,").replace(b",82,51,42,9,", b",a,-2147483648,42,1e9,")
        lake.put_batch("movies", b"\n".join([lines[0], odd, b"1,2,3", *lines[2:]]))
    lake.table(dataset).createOrReplaceTempView("batch")
    lake.spark.createDataFrame([("tt0498329",)], "imdb_id string").createOrReplaceTempView("films")
    found = []
    for ansi in (False, True):
        lake.spark.conf.set("spark.sql.ansi.enabled", ansi)
        try:
            found.append(sorted(map(str, lake.spark.sql(constants(dataset)[query]).collect())))
        finally:
            lake.spark.conf.set("spark.sql.ansi.enabled", False)
    assert found[0] == found[1]
