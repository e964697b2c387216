"""The gates' rules: a sound batch passes, and each whole-batch fault is caught by the rule that the manifest names."""

from __future__ import annotations

from pathlib import Path

import pytest
from rules.conftest import Lake, manifest, sample

pytestmark = pytest.mark.spark

FAULTS = ("column_gone", "half_the_rows", "key_not_unique")


def put(lake: Lake, folder: Path, *datasets: str) -> None:
    """Put the batches of a sample in place."""
    for dataset in datasets:
        lake.put_batch(dataset, (folder / dataset / f"{dataset}.csv").read_bytes())


def broken(rules: dict[str, bool | None]) -> list[str]:
    return [rule for rule, passed in rules.items() if not passed]


@pytest.fixture(scope="module")
def films(lake: Lake, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sound sample, whose films are published."""
    folder = sample(tmp_path_factory.mktemp("sound"), "--faults", "rows")
    lines = (folder / "movies" / "movies.csv").read_bytes().decode(errors="replace").splitlines()[1:]
    lake.publish("movies", sorted({line.split(",")[1] for line in lines} - {""}))
    return folder


@pytest.mark.parametrize("dataset", ["movies", "ratings"])
def test_a_batch_with_faults_in_a_few_rows_passes(lake: Lake, films: Path, dataset: str) -> None:
    put(lake, films, dataset)
    assert broken(lake.gate(dataset)) == []


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("dataset", ["movies", "ratings"])
def test_a_fault_of_the_whole_batch_is_caught(
    lake: Lake, films: Path, tmp_path: Path, dataset: str, fault: str
) -> None:
    put(lake, sample(tmp_path, "--batch-fault", f"{dataset}:{fault}"), dataset)
    (note,) = manifest(tmp_path)
    assert note["rule"] in broken(lake.gate(dataset))


def test_ratings_of_films_that_nobody_knows_are_caught(lake: Lake, films: Path) -> None:
    put(lake, films, "ratings")
    lake.publish("movies", ["tt0000001"])
    assert broken(lake.gate("ratings")) == ['ReferentialIntegrity "imdb_id" "movies.imdb_id" >= 0.95']


def test_a_header_alone_is_caught_by_its_count(lake: Lake, films: Path) -> None:
    header = (films / "movies" / "movies.csv").read_bytes().split(b"\n")[0] + b"\n"
    lake.put_batch("movies", header)
    rules = lake.gate("movies")
    assert rules["RowCount > 10000"] is False
    assert rules['ColumnExists "imdb_id"'] is True


def test_a_file_that_is_no_csv_is_caught_by_its_columns(lake: Lake) -> None:
    lake.put_batch("movies", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<< /Type /Catalog >>\nendobj\n", columns=["col0"])
    rules = lake.gate("movies")
    assert rules["RowCount > 10000"] is False
    assert rules['ColumnExists "imdb_id"'] is False
