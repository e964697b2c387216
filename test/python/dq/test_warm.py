"""The process that keeps Spark warm: time limits, and what is left of runs when the local cloud stops."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from running_cloud import RunningCloud

from local.dq.rules import RulesetError
from local.dq.warm import WarmSpark

pytestmark = pytest.mark.spark

GATE = "Rules = [ RowCount > 0 ]"
QUESTION = {"table": {"database": "none", "table": "none"}, "sources": {}, "rulesets": [GATE], "by_row": False}


@pytest.fixture
def warm(cloud: RunningCloud, tmp_path: Path) -> Iterator[Any]:
    """A data quality process of its own, that reads the shared cloud's catalog."""
    started = WarmSpark(SimpleNamespace(url=cloud.url, state_dir=tmp_path))  # type: ignore[arg-type]
    yield started
    started.stop()


def test_what_takes_too_long_is_ended_and_the_next_request_is_answered(warm: Any) -> None:
    with pytest.raises(TimeoutError):
        warm.evaluate(QUESTION, 0.01, lambda: True)
    assert warm.parse(GATE) == {"rules": ["RowCount > 0"], "dynamic": []}
    with pytest.raises(RulesetError, match="line 1, column"):
        warm.parse("Rules = [ RowCount >> 3 ]")


def test_rulesets_survive_a_restart_and_a_run_it_cut_short_has_failed(tmp_path: Path) -> None:
    cloud = RunningCloud(tmp_path / "state").start()
    cloud.client("glue").create_data_quality_ruleset(Name="gate", Ruleset=GATE)
    source = {"GlueTable": {"DatabaseName": "none", "TableName": "none"}}
    run_id = cloud.client("glue").start_data_quality_ruleset_evaluation_run(
        DataSource=source, Role="arn:aws:iam::000000000000:role/gate", RulesetNames=["gate"]
    )["RunId"]
    assert cloud.stop() == 0

    cloud.start()
    glue = cloud.client("glue")
    assert glue.get_data_quality_ruleset(Name="gate")["Ruleset"] == GATE
    run = glue.get_data_quality_ruleset_evaluation_run(RunId=run_id)
    assert run["Status"] == "FAILED"
    assert "stop" in run["ErrorString"]
    assert cloud.stop() == 0
