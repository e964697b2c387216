"""The maker of samples, run as a person runs it."""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
import subprocess
import sys
from collections import Counter, defaultdict
from itertools import pairwise
from pathlib import Path
from statistics import fmean, median, pstdev

import pytest
from running_cloud import ROOT

MAKER = ROOT / "sample-data" / "make_sample.py"
FILMS = ROOT / "sample-data" / "movies.csv.gz"
DATE, MIDNIGHT = "2024-06-01", 1_717_200_000  # the batch's date starts then, in seconds since 1970 UTC
RATINGS = 100_000
STAR_SHARES = {
    "0.5": 0.011,
    "1.0": 0.033,
    "1.5": 0.017,
    "2.0": 0.073,
    "2.5": 0.045,
    "3.0": 0.201,
    "3.5": 0.105,
    "4.0": 0.288,
    "4.5": 0.077,
    "5.0": 0.151,
}


def make(out: Path, *options: str) -> Path:
    subprocess.run([sys.executable, MAKER, "--out", out, "--date", DATE, *options], check=True)
    return out


def refused(*options: str) -> str:
    """What the maker says to wrong usage."""
    result = subprocess.run([sys.executable, MAKER, *options], capture_output=True, text=True)
    assert result.returncode == 2
    return result.stderr.splitlines()[-1]


def rows(folder: Path, dataset: str) -> list[dict[str, str]]:
    with (folder / dataset / f"{dataset}.csv").open(encoding="utf-8", errors="surrogateescape", newline="") as file:
        return list(csv.DictReader(file))


def manifest(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "manifest.jsonl").read_text().splitlines()]


def digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sample of the default size without faults."""
    return make(tmp_path_factory.mktemp("sound"))


@pytest.fixture(scope="module")
def ratings(sound: Path) -> list[dict[str, str]]:
    return rows(sound, "ratings")


@pytest.fixture(scope="module")
def spoiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample of `make run`."""
    return make(tmp_path_factory.mktemp("spoiled"), "--faults", "rows")


def test_equal_arguments_give_equal_bytes(tmp_path: Path) -> None:
    options = ("--ratings", "3000", "--faults", "rows", "--gzip")
    assert digests(make(tmp_path / "a", *options)) == digests(make(tmp_path / "b", *options))


def test_another_seed_gives_another_audience_of_the_same_films(tmp_path: Path) -> None:
    one, two = (digests(make(tmp_path / seed, "--ratings", "3000", "--seed", seed)) for seed in ("1", "2"))
    assert one["movies/movies.csv"] == two["movies/movies.csv"]
    assert one["ratings/ratings.csv"] != two["ratings/ratings.csv"]


def test_the_bytes_are_those_of_every_machine(tmp_path: Path) -> None:
    made = digests(make(tmp_path, "--ratings", "3000", "--faults", "rows"))
    assert made["ratings/ratings.csv"][:16] == "5fc3c3491fb9ffb7"


def test_films_come_as_they_are(sound: Path) -> None:
    assert (sound / "movies" / "movies.csv").read_bytes() == gzip.decompress(FILMS.read_bytes())
    assert manifest(sound) == []


def test_users_rate_twenty_films_at_least_each_once(ratings: list[dict[str, str]]) -> None:
    activity = Counter(row["user_id"] for row in ratings)
    assert len(ratings) == RATINGS
    assert min(activity.values()) >= 20
    assert len(activity) == pytest.approx(RATINGS / 150, rel=0.1)
    assert median(activity.values()) == pytest.approx(92, rel=0.15)  # of a log-normal (4.4, 1.0) cut at 20
    assert len({(row["user_id"], row["imdb_id"]) for row in ratings}) == RATINGS


def test_a_tenth_of_the_films_holds_most_and_a_third_is_rated_once(ratings: list[dict[str, str]]) -> None:
    counts = sorted(Counter(row["imdb_id"] for row in ratings).values(), reverse=True)
    assert sum(counts[: len(counts) // 10]) / RATINGS == pytest.approx(0.60, abs=0.01)
    assert counts.count(1) / len(counts) == pytest.approx(1 / 3, abs=0.01)
    # No plain Zipf: its second film would have half of what the first has.
    assert counts[1] > 0.9 * counts[0]


def test_only_films_that_come_through_are_rated(sound: Path, ratings: list[dict[str, str]]) -> None:
    known = Counter(row["imdb_id"] for row in rows(sound, "movies"))
    assert {known[row["imdb_id"]] for row in ratings} == {1}


def test_stars_have_their_shares(ratings: list[dict[str, str]]) -> None:
    counts = Counter(row["rating"] for row in ratings)
    shares = {stars: count / RATINGS for stars, count in counts.items()}
    assert shares == pytest.approx(STAR_SHARES, abs=0.005)


@pytest.mark.parametrize(("by", "spread"), [("user_id", 0.47), ("imdb_id", 0.45)])
def test_users_and_films_have_a_bias(ratings: list[dict[str, str]], by: str, spread: float) -> None:
    given = defaultdict(list)
    for row in ratings:
        given[row[by]].append(float(row["rating"]))
    assert pstdev(fmean(stars) for stars in given.values() if len(stars) >= 40) == pytest.approx(spread, abs=0.05)


def test_ratings_come_in_bursts_before_the_batch(ratings: list[dict[str, str]]) -> None:
    times = defaultdict(list)
    for row in ratings:
        times[row["user_id"]].append(int(row["rated_at"]))
    gaps = [later - before for each in times.values() for before, later in pairwise(each)]
    assert min(gaps) >= 0
    assert fmean(gap < 60 for gap in gaps) == pytest.approx(0.80, abs=0.01)
    assert max(max(each) for each in times.values()) < MIDNIGHT
    assert min(min(each) for each in times.values()) > MIDNIGHT - 3 * 365 * 86_400


@pytest.mark.parametrize("number", [1, 20, 333, 5_000])
def test_a_small_sample_has_the_number_asked_for(tmp_path: Path, number: int) -> None:
    made = rows(make(tmp_path, "--ratings", str(number)), "ratings")
    assert len({(row["user_id"], row["imdb_id"]) for row in made}) == len(made) == number


def test_the_manifest_points_at_each_fault(spoiled: Path) -> None:
    kinds = Counter((fault["dataset"], fault["fault"]) for fault in manifest(spoiled))
    assert kinds["ratings", "unknown_film"] == 50
    assert kinds["movies", "impossible_year"] == 9
    lines = {name: (spoiled / name).read_bytes().split(b"\n") for name in ("movies/movies.csv", "ratings/ratings.csv")}
    for fault in manifest(spoiled):
        content = lines[fault["file"]]
        fields = next(csv.reader([content[fault["line"] - 1].decode(errors="replace")]))
        columns = next(csv.reader([content[0].decode()]))
        found = dict(zip(columns, fields, strict=False))
        assert {name: found[name] for name in fault["row"]} == fault["row"]


def test_faults_are_what_they_are_called(spoiled: Path) -> None:
    made = rows(spoiled, "ratings")
    by_kind = defaultdict(list)
    for fault in manifest(spoiled):
        if fault["dataset"] == "ratings":
            by_kind[fault["fault"]].append((fault["line"] - 2, fault["row"]))
    assert len(made) == RATINGS
    assert {row["rating"] for _, row in by_kind["rating_out_of_scale"]} == {"11"}
    assert all(int(row["rated_at"]) >= MIDNIGHT + 86_400 for _, row in by_kind["future_time"])
    assert all(made[index] == made[index - 1] for index, _ in by_kind["equal_row"])
    films = {row["imdb_id"] for row in rows(spoiled, "movies")}
    assert all(row["imdb_id"] not in films for _, row in by_kind["unknown_film"])


def test_a_rated_film_is_none_of_the_spoiled(spoiled: Path) -> None:
    lost = {fault["row"]["imdb_id"] for fault in manifest(spoiled) if fault["dataset"] == "movies"}
    equal = {fault["row"]["imdb_id"] for fault in manifest(spoiled) if fault["fault"] == "equal_row"}
    assert not (lost - equal) & {row["imdb_id"] for row in rows(spoiled, "ratings")}


def test_batch_faults_spoil_the_batch(tmp_path: Path) -> None:
    gone = make(tmp_path / "gone", "--ratings", "500", "--batch-fault", "movies:column_gone")
    half = make(tmp_path / "half", "--ratings", "500", "--batch-fault", "ratings:half_the_rows")
    keys = make(tmp_path / "keys", "--ratings", "500", "--batch-fault", "ratings:key_not_unique")
    many = ("movies:other_unit", "movies:column_gone:title", "ratings:column_dry:rating", "ratings:half_the_rows")
    some = make(tmp_path / "some", "--ratings", "500", *(part for name in many for part in ("--batch-fault", name)))
    assert "year" not in rows(gone, "movies")[0]
    assert len(rows(half, "ratings")) == 250
    assert len({(row["user_id"], row["imdb_id"], row["rated_at"]) for row in rows(keys, "ratings")}) == 400
    assert "title" not in rows(some, "movies")[0]
    assert next(row["box_office_usd"] for row in rows(some, "movies") if row["imdb_id"] == "tt1675434") == "426.589"
    assert {row["rating"] for row in rows(some, "ratings")} == {""}
    assert len(rows(some, "ratings")) == 250
    assert [fault["fault"] for folder in (gone, half, keys, some) for fault in manifest(folder)] == [
        "column_gone",
        "half_the_rows",
        "key_not_unique",
        "other_unit",
        "column_gone",
        "column_dry",
        "half_the_rows",
    ]


def test_memory_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    """Ten million rows are to fit in 300 MB: a tenth of them must stay far below."""
    script = f"import sys; sys.path.insert(0, {str(MAKER.parent)!r})\n"
    script += "import make_sample; make_sample.main(sys.argv[1:])\n"
    # Not getrusage: its maximum is inherited from the process that started this one.
    script += "print(next(line for line in open('/proc/self/status') if line.startswith('VmHWM')))"
    arguments = ["--out", tmp_path, "--date", DATE, "--ratings", "1000000", "--faults", "rows"]
    result = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=True)
    kilobytes = int(result.stdout.split()[1])
    assert kilobytes / 1024 < 100


def test_wrong_usage_is_one_clear_line(tmp_path: Path) -> None:
    out = ("--out", str(tmp_path))
    assert "'yesterday' is no date of the form YYYY-MM-DD" in refused(*out, "--date", "yesterday")
    assert "'-3' is no number of rows" in refused(*out, "--ratings=-3")
    assert "movies:column_gone" in refused(*out, "--batch-fault", "movies:fire")
    twice = ("--batch-fault", "movies:column_dry:title", "--batch-fault", "movies:column_gone:title")
    assert "column_dry and column_gone both spoil the column title of movies" in refused(*out, *twice)
    assert "missing.csv" in refused(*out, "--movies", "missing.csv")
    assert "too few for faults" in refused(*out, "--ratings", "2", "--faults", "rows")
    assert "no column imdb_id" in refused(*out, "--movies", str(MAKER))
