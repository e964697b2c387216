"""Which files an S3 source reads, and how it takes them apart."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest
from glue.support import Lake
from running_cloud import ROOT, RunningCloud


@pytest.fixture
def lake(cloud: RunningCloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lake]:
    """A bucket with films; the code of jobs can be imported and reaches it."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", cloud.url)
    monkeypatch.setattr(sys, "path", [str(ROOT / "local" / "runtime"), *sys.path])
    lake = Lake(cloud)
    for key in ("a.csv", "b.json", "below/c.csv", "below/deep/d.pdf", ".hidden/e.csv", "_SUCCESS", "films2/f.csv"):
        lake.put(f"films/{key}", "x" * 10)
    lake.put("films2/g.csv", "x")
    lake.put("films/empty.csv", "")
    yield lake


def _keys(lake: Lake, path: str = "films/", **options: object) -> list[str]:
    from s3_objects import list_objects

    return [item.key for item in list_objects({"paths": [f"s3://{lake.name}/{path}"], **options})]


def test_a_path_is_a_folder_or_an_object(lake: Lake) -> None:
    assert _keys(lake) == _keys(lake, "films") == ["films/a.csv", "films/b.json"]
    assert _keys(lake, "films/below/c.csv") == ["films/below/c.csv"]
    assert _keys(lake, "absent/") == []


def test_recurse_takes_the_folders_below(lake: Lake) -> None:
    found = ["films/a.csv", "films/b.json", "films/below/c.csv", "films/below/deep/d.pdf", "films/films2/f.csv"]
    assert _keys(lake, recurse=True) == _keys(lake, recurse="true") == found


@pytest.mark.parametrize(
    ("exclusions", "left"),
    [
        ('["**.pdf", "films2/*"]', ["films/a.csv", "films/b.json", "films/below/c.csv"]),
        (["*.csv"], ["films/b.json", "films/below/c.csv", "films/below/deep/d.pdf", "films/films2/f.csv"]),
        (["**/*.{csv,pdf}", "[!b].csv"], ["films/b.json"]),
        (["films/below/**"], ["films/a.csv", "films/b.json", "films/films2/f.csv"]),
    ],
)
def test_exclusions(lake: Lake, exclusions: object, left: list[str]) -> None:
    assert _keys(lake, recurse=True, exclusions=exclusions) == left


def test_bounds(lake: Lake) -> None:
    assert _keys(lake, recurse=True, boundedFiles="1") == ["films/a.csv"]
    assert _keys(lake, recurse=True, boundedSize=25) == ["films/a.csv", "films/b.json"]


def test_a_pattern_in_a_path_is_refused(lake: Lake) -> None:
    with pytest.raises(NotImplementedError, match=r"films/\*\.csv"):
        _keys(lake, "films/*.csv")


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("a,b\r\n\r\nc,\n", [["a", "b"], [], ["c", ""]]),
        ("'it''s',2\n", [["it's", "2"]]),
        ("'two\nlines',x", [["two\nlines", "x"]]),
        ("a\\,b\\n\\t\\\\,'c\\'d'\n", [["a,b\n\t\\", "c'd"]]),
        ("a\\", [["a\\"]]),
    ],
)
def test_records_with_an_escaper(lake: Lake, text: str, rows: list[list[str]]) -> None:
    from catalog import CsvForm
    from s3_source import rows_of

    assert list(rows_of([text], CsvForm(",", "'", "\\"))) == rows


def test_json_paths(lake: Lake) -> None:
    from s3_source import json_steps, select

    document = {"films": [{"id": 1}, {"no": 2}], "odd name": {"x": [[3], 4]}}
    assert select(document, json_steps("$.films[*].id")) == [1]
    assert select(document, json_steps("$['odd name'].x[*][*]")) == [3]
    assert select(document, json_steps("$")) == [document]
    with pytest.raises(NotImplementedError, match=r"\$\.films\[0\]"):
        json_steps("$.films[0]")
