"""A user adds a column to films, in a copy of the project: what is missing is said, until nothing is."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from jobs.contracts import findings
from running_cloud import ROOT

DAG = "glue-scripts/movies.dag.json"
TABLE = "sql/tables/movies.sql"
FILMS = f'{DAG}: node node-7 "Films"'
LAST = '"ToKey": "production", "ToType": "string"}\n'


@pytest.fixture(scope="module")
def command_line(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command line, built."""
    binary = tmp_path_factory.mktemp("bin") / "pipeline"
    subprocess.run(["go", "build", "-o", str(binary), "./cmd/pipeline"], cwd=ROOT, check=True)
    return binary


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of what a column is written in."""
    for folder in ("glue-scripts", "dqdl-rules", "sql"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    for file in ("datasets.json", "go.mod"):
        shutil.copy(ROOT / file, tmp_path)
    return tmp_path


@pytest.fixture
def visual(command_line: Path, project: Path) -> Callable[..., tuple[int, str]]:
    """Run `pipeline visual` in the copy: exit code and what it prints."""

    def run(*arguments: str) -> tuple[int, str]:
        command = [str(command_line), "visual", *arguments]
        done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
        return done.returncode, (done.stdout + done.stderr).strip()

    return run


def edit(file: Path, before: str, after: str, times: int = 1) -> None:
    """Replace a text that a file has so many times."""
    text = file.read_text()
    assert text.count(before) == times, f"{file}: {before!r}"
    file.write_text(text.replace(before, after))


def map_to(project: Path, source: str, kind: str, column: str, target: str) -> None:
    """Add one line to the mapping of films."""
    line = f'{{"FromPath": ["{source}"], "FromType": "{kind}", "ToKey": "{column}", "ToType": "{target}"}}\n'
    edit(project / DAG, LAST, LAST.rstrip("\n") + ",\n        " + line)


def add_to_table(project: Path, column: str, kind: str) -> None:
    """Add a column to the tables of films: to staging and to history."""
    edit(project / TABLE, "    production varchar(1000)\n)", f"    production varchar(1000),\n    {column} {kind}\n)")
    edit(project / TABLE, "    ingest_date date not null\n", f"    {column} {kind},\n    ingest_date date not null\n")


def test_one_line_in_the_dag_and_the_table(project: Path, visual: Callable[..., tuple[int, str]]) -> None:
    assert visual("generate", "--check") == (0, "")
    assert findings(project) == []

    map_to(project, "years_from_release", "int", "years_early", "int")

    stale = "pipeline: glue-scripts/movies.py is stale: run `pipeline visual generate movies`"
    assert visual("generate", "--check") == (1, stale)
    assert findings(project) == [
        f"{FILMS} publishes years_early, which staging.movies lacks: add `years_early integer` to {TABLE}, "
        "at the same place",
        f"{FILMS} publishes years_early, which history.movies lacks: add `years_early integer` to {TABLE}, "
        "at the same place",
    ]

    add_to_table(project, "years_early", "integer")
    assert visual("generate") == (0, "wrote glue-scripts/movies.py")

    assert findings(project) == []
    assert visual("generate", "--check") == (0, "")
    script = (project / "glue-scripts/movies.py").read_text()
    assert '        ("years_from_release", "int", "years_early", "int"),\n    ],\n' in script


def test_a_number_that_is_new_in_the_files(project: Path) -> None:
    map_to(project, "imdb_votes", "string", "votes", "int")
    add_to_table(project, "votes", "integer")
    gate, rows = project / "dqdl-rules/movies_gate.dqdl", project / "dqdl-rules/movies_rows.dqdl"

    unknown, unguarded = findings(project)

    assert unknown == (
        f"{FILMS} reads imdb_votes, which no node before it makes and which dqdl-rules/movies_gate.dqdl does not "
        'require of a batch: add ColumnExists "imdb_votes" there if it is a column of the file'
    )
    edit(gate, '    ColumnExists "production",\n', '    ColumnExists "production",\n    ColumnExists "imdb_votes",\n')

    (again,) = findings(project)

    assert again.startswith(unguarded.split(";")[0])
    assert again == (
        f"{FILMS} publishes votes as int, made from imdb_votes, and no rule of dqdl-rules/movies_rows.dqdl is about "
        'it: a text that is no int would become NULL unseen; add one, like IsComplete "imdb_votes" where '
        """"trim(imdb_votes) <> ''\""""
    )
    rule = """    ColumnValues "imdb_votes" matches "^[0-9]+$" where "trim(imdb_votes) <> ''","""
    edit(rows, '    IsComplete "title_typed",\n', f'    IsComplete "title_typed",\n{rule}\n')
    assert findings(project) == []


def test_a_text_that_is_new_in_the_files(project: Path) -> None:
    map_to(project, "tagline", "string", "tagline", "string")
    add_to_table(project, "tagline", "varchar(300)")
    gate, types = project / "dqdl-rules/movies_gate.dqdl", project / "glue-scripts/movies/type_columns.sql"
    edit(gate, '    ColumnExists "production",\n', '    ColumnExists "production",\n    ColumnExists "tagline",\n')

    assert findings(project) == [
        f"{FILMS} publishes tagline from tagline as it came, blank and not NULL where there is no value: add "
        "nullif(trim(tagline), '') as tagline_typed to glue-scripts/movies/type_columns.sql and map from that",
        f"{TABLE}: tagline takes 300 bytes, and row_lengths in glue-scripts/movies/type_columns.sql has no limit for "
        "it: want octet_length(tagline) > 300",
    ]

    last = "    nullif(trim(awards), '') as awards_typed,\n"
    edit(types, last, last + "    nullif(trim(tagline), '') as tagline_typed,\n")
    edit(project / DAG, '"FromPath": ["tagline"]', '"FromPath": ["tagline_typed"]')
    edit(types, "octet_length(title) > 400\n", "octet_length(title) > 400\n        or octet_length(tagline) > 300\n")

    assert findings(project) == [
        f'{DAG}: node node-12 "Text as it came": a quarantined row would hold tagline_typed, which the batch does not: '
        'add ["tagline_typed"] to Paths'
    ]

    edit(
        project / DAG, '        ["production_typed"],\n', '        ["production_typed"],\n        ["tagline_typed"],\n'
    )
    assert findings(project) == []


def test_what_else_can_be_forgotten(project: Path) -> None:
    table = project / TABLE
    edit(table, "    oscars integer,\n", "    oscars bigint,\n")
    edit(
        table,
        "    title varchar(400),\n    release_year integer,\n",
        "    release_year integer,\n    title varchar(500),\n",
    )
    edit(project / DAG, '        ["row_shape"],\n', "")
    edit(project / DAG, '        ["year_typed"],\n', '        ["year_typed"],\n        ["year"],\n')

    found = "\n".join(findings(project))

    assert "oscars is bigint in staging.movies, and int in" in found
    assert f"{TABLE}: COPY goes by position, and {FILMS} publishes in the order imdb_id, wikidata_id, title," in found
    assert "title takes 500 bytes, and row_lengths in glue-scripts/movies/type_columns.sql has 400" in found
    assert "a quarantined row would hold row_shape" in found
    assert "a quarantined row would lack year: take it out of Paths" in found
    assert len(found.splitlines()) == 5
