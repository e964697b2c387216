"""Propose a ruleset from data: the process behind `pipeline dq recommend`; see local/dq/process.py."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame

from local.dq.files import DataError, check, read
from local.dq.process import UNUSABLE, Events, begin
from local.dq.recommend.planted import MOST_ROWS, dataset_of, planted
from local.dq.recommend.profile import Profile, profile
from local.dq.recommend.propose import BATCH, ROWS, propose
from local.dq.recommend.ruleset import ruleset, verify
from local.dq.recommend.trial import Trial, generic
from local.dq.review.sample import load
from local.dq.review.session import grammar, spark_session
from local.spark import NOWHERE, ROOT


class Recommendation:
    """A recommendation for one file or folder, told step by step."""

    def __init__(self, arguments: argparse.Namespace, events: Events) -> None:
        self._arguments, self._tell = arguments, events.tell

    def run(self) -> None:
        """Propose, verify, try faults, and tell the result. Raises DataError."""
        check(self._arguments.data)
        self._tell(step="Start")
        jvm = grammar()
        spark = spark_session(NOWHERE)
        self._tell(step="Read")
        data = read(spark, self._arguments.data, self._arguments.text)
        for note in data.notes:
            self._tell(note=note)
        frame = data.frame.cache()
        rows = frame.count()
        if not rows:
            raise DataError(f"{self._arguments.data}: there are no rows to learn from")
        self._tell(step="Profile")
        profiles = profile(frame)
        doubled = _has_equal_rows(frame, profiles, rows)
        wanted = [each for each in propose(profiles, rows, doubled) if self._arguments.part in (each.part, "all")]
        self._tell(step="Verify")
        kept = verify(jvm, frame, wanted)
        text = ruleset(self._title(data.format, rows, len(profiles)), profiles, kept.proposals)
        self._tell(step="Try faults")
        result = {
            "ruleset": text,
            "rules": len(kept.proposals),
            "rows": rows,
            "left_out": [{"rule": each.rule, "why": why} for each, why in kept.left_out],
            "faults": [_told(each) for each in generic(frame, text, profiles)],
            **self._planted(spark, frame, text, rows),
        }
        self._tell(result=result)

    def _planted(self, spark: Any, frame: DataFrame, text: str, rows: int) -> dict[str, Any]:
        faults = load(ROOT / "sample-data" / "faults.py")
        dataset = dataset_of(faults, frame.columns)
        if not dataset:
            return {}
        if rows > MOST_ROWS:
            self._tell(
                note=f"the faults of {dataset} are tried on files of up to {MOST_ROWS:,} rows; this has {rows:,}"
            )
            return {}
        texts = read(spark, self._arguments.data, True).frame
        texts = texts.select(*(texts[f"`{name}`"].cast("string") for name in frame.columns)).toDF(*frame.columns)
        return {"dataset": dataset, "planted": [_told(each) for each in planted(frame, texts, text, faults, dataset)]}

    def _title(self, form: str, rows: int, columns: int) -> str:
        return f"{self._arguments.data.name}: {form}, {rows:,} rows, {columns:,} columns"


def _has_equal_rows(frame: DataFrame, profiles: Sequence[Profile], rows: int) -> bool:
    if any(each.unique for each in profiles):
        return False
    plain = [each.name for each in profiles if not each.type.startswith("map")]
    return frame.select(*(f"`{name.replace('`', '``')}`" for name in plain)).distinct().count() < rows


def _told(trial: Trial) -> dict[str, Any]:
    return {**asdict(trial), "caught": trial.caught}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line: exit code 0, or 2 where the data are unusable."""
    parser = argparse.ArgumentParser(prog="pipeline dq recommend")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--part", choices=(BATCH, ROWS, "all"), default="all")
    parser.add_argument("--text", action="store_true")
    arguments = parser.parse_args(argv)
    events = begin()
    try:
        Recommendation(arguments, events).run()
    except DataError as error:
        events.tell(error=str(error))
        return UNUSABLE
    return 0


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    os._exit(code)  # the JVM ends with this process
