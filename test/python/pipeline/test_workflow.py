"""The whole pipeline on the local cloud: the deployed state machine, jobs, rules and SQL, driven by the command line.

The tests run in the order of the file and share one deployment: what one published, the next finds.
"""

from __future__ import annotations

import csv
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pipeline.conftest import DATASETS, DATE, Batch, Pipeline
from running_cloud import wait_for

pytestmark = [pytest.mark.spark, pytest.mark.timeout(600)]

EARLIER = "2026-01-30"
# The key, in the source, of a film without a fault.
KNOWN_FILM = "2201"
# A careless reader of CSV or SQL would change it.
TITLE_OF_OLD = r"""Known "of old", O'Neill \ Sons"""


def assert_reconciled(result: dict[str, Any], *datasets: str) -> None:
    """Every row read is processed, in quarantine or counted as a duplicate, and what was processed is loaded."""
    for name in datasets:
        counts = result["datasets"][name]
        assert counts["status"] == "SUCCEEDED"
        assert counts["read"] == counts["processed"] + counts["quarantined"] + counts["duplicates"]
        assert counts["loaded"] == counts["processed"]


def test_a_good_run(pipeline: Pipeline, sample: Batch, good_run: dict[str, Any]) -> None:
    assert good_run["status"] == "SUCCEEDED"
    assert_reconciled(good_run, "movies", "ratings")
    for name in ("movies", "ratings"):
        counts = good_run["datasets"][name]
        assert counts["read"] == len(sample.rows(name)) - 1
        assert counts["quarantined"] > 0
        assert counts["duplicates"] > 0
        assert counts["failed_rules"]
        assert counts["warnings"] == []
        assert len(pipeline.lake()[f"processed/{name}/ingest_date={DATE}"]) == counts["processed"]
        assert len(pipeline.lake()[f"quarantine/{name}/ingest_date={DATE}"]) == counts["quarantined"]
    steps = {(step["name"], step["dataset"]) for step in good_run["steps"]}
    for name in ("movies", "ratings"):
        assert {(step, name) for step in ("Select", "Gate", "Transform", "Reconcile", "Publish")} <= steps
    assert all(step["status"] == "SUCCEEDED" for step in good_run["steps"])


def test_the_results_of_rules_are_kept(pipeline: Pipeline) -> None:
    evaluations = json.loads(pipeline("dq", "history", "--output", "json").stdout)

    assert {(one["dataset"], one["ruleset"]) for one in evaluations} == {
        (dataset["name"], ruleset) for dataset in DATASETS for ruleset in ("gate", "rows")
    }
    for one in evaluations:
        passed = [rule["result"] == "PASS" for rule in one["rules"]]
        assert one["score"] == pytest.approx(sum(passed) / len(passed))
        assert all(passed) == (one["ruleset"] == "gate")
        assert any(metric["name"] == "Dataset.*.RowCount" for rule in one["rules"] for metric in rule["metrics"])
    documents = pipeline.cloud.client("s3").list_objects_v2(
        Bucket=pipeline.outputs["ArtifactsBucket"], Prefix=f"reports/quality/execution={evaluations[0]['execution']}/"
    )
    assert documents["KeyCount"] == 2 * len(DATASETS)


@pytest.mark.parametrize("dataset", [dataset["name"] for dataset in DATASETS])
def test_bad_rows_are_in_the_catalog_and_in_the_warehouse(pipeline: Pipeline, dataset: str) -> None:
    rows = pipeline.quarantine("--dataset", dataset)
    (run,) = {row["quarantine_execution"] for row in rows}
    kept = f"select count(*) as n from analytics.quarantine where dataset = '{dataset}' and execution = '{run}'"
    assert pipeline.query(f"{kept} and row.rules_broken::varchar = rules_broken") == [{"n": len(rows)}]

    glue = pipeline.cloud.client("glue")
    table = {"DatabaseName": pipeline.outputs["ProcessedDatabase"], "TableName": f"quarantine_{dataset}"}
    (partition,) = glue.get_partitions(**table)["Partitions"]
    assert partition["Values"] == [DATE, run]
    # A reader of the catalog finds the same rows, by name.
    column = next(name for name in rows[0] if not name.startswith("quarantine_"))
    rules = f'Rules = [RowCount = {len(rows)}, ColumnExists "{column}", IsComplete "rules_broken"]'
    glue.create_data_quality_ruleset(Name=f"of-{dataset}", Ruleset=rules)
    role = "arn:aws:iam::000000000000:role/test"
    asked = {"DataSource": {"GlueTable": table}, "RulesetNames": [f"of-{dataset}"], "Role": role}
    run_id = glue.start_data_quality_ruleset_evaluation_run(**asked)["RunId"]

    def results() -> list[str] | None:
        described = glue.get_data_quality_ruleset_evaluation_run(RunId=run_id)
        assert described["Status"] != "FAILED", described
        return described.get("ResultIds")

    (result,) = wait_for(results, 120, "the evaluation of the table of bad rows")
    glue.delete_data_quality_ruleset(Name=f"of-{dataset}")
    assert glue.get_data_quality_result(ResultId=result)["Score"] == 1.0


def test_every_mart_answers(pipeline: Pipeline) -> None:
    marts = pipeline.marts()

    assert len(marts) >= 8
    assert all(pipeline.query(f"select * from marts.{mart}") for mart in marts)


def test_the_report_is_in_s3(pipeline: Pipeline) -> None:
    s3, bucket = pipeline.cloud.client("s3"), pipeline.outputs["ArtifactsBucket"]

    def keys(prefix: str) -> list[str]:
        return [item["Key"] for item in s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])]

    (summary,) = keys("reports/runs/")
    assert json.loads(s3.get_object(Bucket=bucket, Key=summary)["Body"].read())["status"] == "SUCCEEDED"
    assert len({key.split("/")[2] for key in keys("reports/marts/")}) >= 8


def test_the_same_run_again_changes_nothing(pipeline: Pipeline, sample: Batch) -> None:
    lake, warehouse = pipeline.lake(), pipeline.warehouse()

    result = pipeline.run(sample.folder, DATE)

    assert_reconciled(result, "movies", "ratings")
    assert pipeline.lake() == lake
    assert pipeline.warehouse() == warehouse


def test_an_older_date_after_a_newer_does_not_override_it(pipeline: Pipeline, sample: Batch, tmp_path: Path) -> None:
    older = sample.copy(tmp_path / "older").without("ratings")
    header, *films = older.rows("movies")
    title, imdb_id = header.index("title"), header.index("imdb_id")
    known = next(row for row in films if row[0] == KNOWN_FILM)
    renamed = [*known[:title], "Old title", *known[title + 1 :]]
    older.rewrite("movies", [header, *(renamed if row == known else row for row in films), _film_of_old(header)])
    count = "select count(*) as films from analytics.movies"
    films_before = pipeline.query(count)[0]["films"]

    result = pipeline.run(older.folder, EARLIER)

    assert_reconciled(result, "movies")
    assert result["datasets"]["ratings"]["status"] == "SKIPPED"
    by_id = "select title from analytics.movies where imdb_id = '{}'"
    assert pipeline.query(by_id.format(known[imdb_id])) == [{"title": known[title]}]
    assert pipeline.query(by_id.format("tt9999901")) == [{"title": TITLE_OF_OLD}]
    assert pipeline.query(count)[0]["films"] == films_before + 1


def _film_of_old(header: list[str]) -> list[str]:
    """A film that the newer batch does not have."""
    film = {"wikidata_qid": "999999901", "imdb_id": "tt9999901", "title": TITLE_OF_OLD, "year": "1999"}
    film |= {"released": "1999-05-05", "oscars": "0"}
    return [film.get(column, "") for column in header]


def test_a_corrected_batch_with_fewer_rows_replaces_the_first(
    pipeline: Pipeline, sample: Batch, tmp_path: Path
) -> None:
    corrected = sample.copy(tmp_path / "corrected").without("ratings")
    header, *films = corrected.rows("movies")
    gone = [row for row in films if row[0] == KNOWN_FILM]
    # A new column is welcome, and people hear of it. It is text: in rows of too many fields, another column lies there.
    corrected.rewrite("movies", [[*header, "budget"], *([*row, "1"] for row in films if row not in gone)])

    result = pipeline.run(corrected.folder, DATE, "movies")

    assert_reconciled(result, "movies")
    assert result["datasets"]["movies"]["warnings"] == ["New column budget (string)."]
    assert "New column budget" in pipeline("status", result["execution"]).stdout
    assert result["datasets"]["movies"]["read"] == len(films) - len(gone)
    imdb_id = gone[0][header.index("imdb_id")]
    assert not any(imdb_id in row for row in pipeline.lake()[f"processed/movies/ingest_date={DATE}"])
    # The older batch has the film, and is now the newest that has it.
    assert pipeline.query(f"select title from analytics.movies where imdb_id = '{imdb_id}'") == [{"title": "Old title"}]


def test_a_batch_that_fails_its_gate_is_not_processed(pipeline: Pipeline, sample: Batch, tmp_path: Path) -> None:
    spoiled = sample.copy(tmp_path / "spoiled")
    header, *films = spoiled.rows("movies")
    title = header.index("title")
    spoiled.rewrite("movies", [[*row[:title], *row[title + 1 :]] for row in [header, *films]])
    lake, warehouse = pipeline.lake(), pipeline.warehouse()

    result = pipeline.run(spoiled.folder, DATE, code=1)

    assert result["status"] == "FAILED"
    assert (result["error"]["step"], result["error"]["dataset"]) == ("Gate", "movies")
    assert result["datasets"]["movies"]["status"] == "FAILED"
    assert any("title" in rule["rule"] for rule in result["datasets"]["movies"]["failed_rules"])
    assert "The column title (string) is gone." in result["datasets"]["movies"]["warnings"]
    # What failed is what people look for.
    failed = [rule for rule in pipeline.rule_results(result["execution"]) if rule["result"] == "FAIL"]
    assert {(rule["dataset"], rule["ruleset"]) for rule in failed} == {("movies", "gate")}
    assert 'ColumnExists "title"' in [rule["rule"] for rule in failed]
    assert result["datasets"]["ratings"]["status"] == "BLOCKED"
    assert "Gate" in result["told"] and "movies" in result["told"] and "title" in result["told"]
    assert not any(step["name"] == "Transform" for step in result["steps"])
    pipeline("insights", "--out", str(tmp_path / "page.html"))
    page = (tmp_path / "page.html").read_text()
    assert "The batch of movies as a whole broke" in page
    assert "The trends are older than the latest run." in page
    assert pipeline.lake() == lake
    assert pipeline.warehouse() == warehouse


@pytest.fixture
def broken_job(pipeline: Pipeline) -> Iterator[None]:
    """The job of films fails, after it wrote something."""
    s3, glue = pipeline.cloud.client("s3"), pipeline.cloud.client("glue")
    location = glue.get_job(JobName="movie-pipeline-dev-movies")["Job"]["Command"]["ScriptLocation"]
    bucket, _, key = location.removeprefix("s3://").partition("/")
    place = {"Bucket": bucket, "Key": key}
    script = s3.get_object(**place)["Body"].read()
    s3.put_object(**place, Body=script.replace(b"job.commit()", b'raise RuntimeError("the disk is full")'))
    yield
    s3.put_object(**place, Body=script)


@pytest.mark.usefixtures("broken_job")
def test_a_job_that_fails_leaves_what_was_published(pipeline: Pipeline, sample: Batch, tmp_path: Path) -> None:
    lake, warehouse = pipeline.lake(), pipeline.warehouse()

    result = pipeline.run(sample.copy(tmp_path / "again").without("ratings").folder, DATE, "movies", code=1)

    assert (result["error"]["step"], result["error"]["dataset"]) == ("Transform", "movies")
    assert "the disk is full" in result["error"]["cause"]
    assert "the disk is full" in pipeline("logs", "transform", "--dataset", "movies").stdout
    assert pipeline.lake() == lake
    assert pipeline.warehouse() == warehouse


def test_a_run_after_failures_is_as_one_clean_load(pipeline: Pipeline, sample: Batch) -> None:
    result = pipeline.run(sample.folder, DATE)

    assert_reconciled(result, "movies", "ratings")
    assert result["datasets"]["movies"]["read"] == len(sample.rows("movies")) - 1
    assert len(pipeline.lake()[f"processed/movies/ingest_date={DATE}"]) == result["datasets"]["movies"]["processed"]


def test_a_second_run_is_refused_and_a_dead_one_does_not_block(
    pipeline: Pipeline, sample: Batch, tmp_path: Path
) -> None:
    films = sample.copy(tmp_path / "films").without("ratings")
    machine = pipeline.outputs["StateMachineArn"]
    steps = pipeline.cloud.client("stepfunctions")
    lake = pipeline.lake()
    arguments = ["run", "--raw", str(films.folder), "--ingest-date", DATE, "--datasets", "movies", "--output", "json"]
    with subprocess.Popen(
        pipeline.command(*arguments), env=pipeline.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as first:
        running = wait_for(
            lambda: steps.list_executions(stateMachineArn=machine, statusFilter="RUNNING")["executions"],
            60,
            "the first run to start",
        )
        arn = running[0]["executionArn"]
        wait_for(lambda: _entered(steps, arn, "Gate: start"), 120, "the first run to reach its gate")

        assert arn.rpartition(":")[2] in pipeline(*arguments, code=1).stderr
        second = _execute(pipeline, {"ingest_date": DATE, "datasets": ["movies"]})
        assert (second["status"], second["error"]) == ("FAILED", "PipelineBusy")
        assert arn in second["cause"]

        steps.stop_execution(executionArn=arn, error="Stopped", cause="as a crash would")
        assert first.wait(timeout=60) == 1

    third = pipeline.run(films.folder, DATE, "movies")

    assert_reconciled(third, "movies")
    assert pipeline.lake() == lake


def _entered(steps: Any, arn: str, state: str) -> bool:
    pages = steps.get_paginator("get_execution_history").paginate(executionArn=arn)
    return any(
        event.get("stateEnteredEventDetails", {}).get("name") == state for page in pages for event in page["events"]
    )


@pytest.mark.parametrize(
    ("asked", "error", "words"),
    [
        ({"ingest_date": "2026-02-30"}, "InvalidInput", "2026-02-30"),
        ({"ingest_date": "yesterday"}, "InvalidInput", "yesterday"),
        ({"ingest_date": DATE, "dataset": ["movies"]}, "InvalidInput", "dataset"),
        ({"datasets": "movies"}, "InvalidInput", "list"),
        ({"scheduled_time": "noon"}, "InvalidInput", "noon"),
        ({"datasets": ["movies", "reviews"]}, "UnknownDataset", "reviews"),
    ],
)
def test_wrong_input_is_refused(pipeline: Pipeline, asked: dict[str, Any], error: str, words: str) -> None:
    ended = _execute(pipeline, asked)

    assert (ended["status"], ended["error"]) == ("FAILED", error)
    assert words in ended["cause"]


def test_an_execution_whose_name_does_not_fit_into_paths_is_refused(pipeline: Pipeline) -> None:
    ended = _execute(pipeline, {"ingest_date": DATE}, name="2026.run")

    assert (ended["status"], ended["error"]) == ("FAILED", "InvalidInput")
    assert "2026.run" in ended["cause"]


def test_a_date_without_files_is_skipped_and_said_so(pipeline: Pipeline) -> None:
    ended = _execute(pipeline, {"scheduled_time": "2025-03-02T06:00:00Z"})

    summary = json.loads(ended["output"])
    assert (ended["status"], summary["ingest_date"]) == ("SUCCEEDED", "2025-03-01")
    for dataset in DATASETS:
        assert summary["datasets"][dataset["name"]]["status"] == "SKIPPED"
        assert "ingest_date=2025-03-01" in summary["datasets"][dataset["name"]]["reason"]


@pytest.mark.parametrize(
    ("name", "content", "error"),
    [
        ("header.csv", None, "GateFailed"),
        ("empty.csv", b"", "EmptyBatch"),
        ("garbage.csv", bytes(range(256)) * 64, "UnreadableBatch|GateFailed"),
    ],
    ids=["header alone", "empty file", "no CSV"],
)
def test_files_that_are_no_batch(
    pipeline: Pipeline, sample: Batch, tmp_path: Path, name: str, content: bytes | None, error: str
) -> None:
    folder = tmp_path / "raw" / "movies"
    folder.mkdir(parents=True)
    header = sample.file("movies").read_bytes().splitlines(keepends=True)[0]
    (folder / name).write_bytes(header if content is None else content)
    lake = pipeline.lake()

    result = pipeline.run(tmp_path / "raw", "2026-01-29", "movies", code=1)

    assert result["error"]["error"] in error.split("|")
    assert result["datasets"]["movies"]["status"] == "FAILED"
    assert pipeline.lake() == lake


def test_mended_rows_go_through_once(pipeline: Pipeline, sample: Batch, tmp_path: Path) -> None:
    """Also when the batch was mended in part by a call that was broken off, and whenever the date is run again."""
    header = sample.rows("movies")[0]
    asked = ("--dataset", "movies", "--ingest-date", DATE)
    rows = pipeline.quarantine(*asked)
    films = [dict(zip(header, _film_of_old(header), strict=True)) for _ in range(2)]
    for number, (row, film) in enumerate(zip(rows, films, strict=False)):
        row |= film | {
            "wikidata_qid": f"99999991{number}",
            "imdb_id": f"tt999991{number}",
            "title": 'Mended, "at last"',
        }
    mended = tmp_path / "rows.csv"
    with mended.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    before = _published(pipeline)

    done = pipeline("quarantine", "replay", *asked, "--rows", str(mended), "--output", "json")

    result = json.loads(done.stdout)
    assert_reconciled(result, *(dataset["name"] for dataset in DATASETS))
    assert "2 of" in done.stderr
    after = _published(pipeline)
    assert (after["read"], after["films"], after["quarantine"]) == (
        before["read"],
        before["films"] + 2,
        before["quarantine"] - 2,
    )
    titles = "select count(*) as n from analytics.movies where imdb_id like 'tt999991%' and title like 'Mended, \"at%'"
    assert pipeline.query(titles) == [{"n": 2}]
    lake, warehouse = pipeline.lake(), pipeline.warehouse()
    assert len(warehouse["quarantine"]) == sum(
        len(found) for part, found in lake.items() if part.startswith("quarantine/")
    )

    refused = pipeline("quarantine", "replay", *asked, "--rows", str(mended), code=2)
    assert "`pipeline quarantine show` has what is there now" in refused.stderr
    pipeline("run", "--ingest-date", DATE, "--datasets", "movies", "--output", "json")
    assert pipeline.lake() == lake
    assert pipeline.warehouse() == warehouse


def _published(pipeline: Pipeline) -> dict[str, int]:
    lake = pipeline.lake()
    films, quarantine = (len(lake[f"{part}/movies/ingest_date={DATE}"]) for part in ("processed", "quarantine"))
    newest = "select rows_read from audit.loads where dataset = 'movies' and ingest_date = '{}' order by loaded_at desc"
    read = pipeline.query(newest.format(DATE))[0]["rows_read"]
    return {"films": films, "quarantine": quarantine, "read": read}


def _execute(pipeline: Pipeline, asked: dict[str, Any], **named: str) -> dict[str, Any]:
    steps = pipeline.cloud.client("stepfunctions")
    machine = pipeline.outputs["StateMachineArn"]
    arn = steps.start_execution(stateMachineArn=machine, input=json.dumps(asked), **named)["executionArn"]

    def ended() -> dict[str, Any] | None:
        execution = steps.describe_execution(executionArn=arn)
        return execution if execution["status"] != "RUNNING" else None

    return wait_for(ended, 120, "the execution to end")
