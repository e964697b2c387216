"""The page of insights, drawn from what a real run left in S3, in a real browser."""

from __future__ import annotations

import html
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from pipeline.conftest import Pipeline
from running_cloud import ROOT

pytestmark = [pytest.mark.spark, pytest.mark.timeout(600)]

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MOST_BYTES = 3 * 2**20


@pytest.fixture(scope="module")
def page(pipeline: Pipeline, good_run: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of the page."""
    assert good_run["status"] == "SUCCEEDED"
    file = tmp_path_factory.mktemp("pages") / "run.html"
    assert file.as_uri() in pipeline("insights", "--out", str(file)).stdout
    return file


@pytest.fixture(scope="module")
def browser() -> str:
    """The browser's program. Without one the test is skipped, but for continuous integration, which installs one."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None and os.environ.get("CI") == "true":
        pytest.fail(f"no browser is installed: looked for {', '.join(BROWSERS)}")
    return found or pytest.skip(f"the page is not tested in a browser: none of {', '.join(BROWSERS)} is installed")


def test_the_page_tells_what_the_run_did(page: Path, good_run: dict[str, Any]) -> None:
    text = html.unescape(page.read_text())

    assert page.stat().st_size < MOST_BYTES
    for name, counts in good_run["datasets"].items():
        assert f"The sum is right: no row of {name} was lost or doubled." in text
        for part in ("read", "processed", "quarantined", "duplicates"):
            assert f"<b>{counts[part]:,}</b> {part}" in text.replace("duplicate<", "duplicates<")
        assert all(f"<code>{rule['rule']}</code>" in text for rule in counts["failed_rules"])
    assert text.count("held for the batch, 100.0%") == len(good_run["datasets"])
    assert text.count("held for every row") == len(good_run["datasets"])


def test_every_mart_with_rows_is_drawn_in_a_browser(pipeline: Pipeline, page: Path, browser: str) -> None:
    counted = (f"select '{mart}' as mart, count(*) as n from marts.{mart}" for mart in pipeline.marts())
    filled = sorted(row["mart"] for row in pipeline.query(" union all ".join(counted)) if row["n"])
    assert len(filled) >= 8
    (page.parent / "marts.json").write_text(json.dumps(filled))

    done = subprocess.run(
        ["node", "--test", "--test-reporter=spec", "test/browser/run.test.mjs"],
        cwd=ROOT,
        env={**os.environ, "PAGES": str(page.parent), "CHROMIUM": browser},
        text=True,
        capture_output=True,
        timeout=300,
    )

    assert done.returncode == 0, done.stdout + done.stderr
