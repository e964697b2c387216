"""Propose a ruleset from data: the process behind `pipeline dq recommend`.

What it does goes to stdout as lines of JSON, one event a line: {"step": name} for what begins, {"note": text} for what
a person should know, and at the end {"result": {...}} or {"error": text}. The process ends with its stdin.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TextIO

from pyspark.sql import DataFrame

from local.dq.engine import evaluate
from local.dq.files import DataError, check, read
from local.dq.recommend.planted import MOST_ROWS, dataset_of, planted
from local.dq.recommend.profile import Profile, profile
from local.dq.recommend.propose import BATCH, ROWS, Proposal, ascii_only, described, propose
from local.dq.recommend.trial import Trial, generic
from local.dq.review.sample import load
from local.dq.review.session import NOWHERE, grammar, spark_session
from local.dq.rules import RulesetError, parse
from local.spark import ROOT

TITLES = {
    BATCH: "The batch as a whole: rules for a gate.",
    ROWS: "Single rows: rules for a job, which sends rows that break one to quarantine.",
}


@dataclass(frozen=True)
class Kept:
    """The proposals that the data pass, and those left out, each with the reason."""

    proposals: list[Proposal]
    left_out: list[tuple[Proposal, str]]


class Recommendation:
    """A recommendation for one file or folder, told step by step."""

    def __init__(self, arguments: argparse.Namespace, events: TextIO) -> None:
        self._arguments, self._events = arguments, events

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

    def _tell(self, **event: Any) -> None:
        self._events.write(json.dumps(event) + "\n")
        self._events.flush()


def verify(jvm: Any, frame: DataFrame, proposals: Sequence[Proposal]) -> Kept:
    """Keep the proposals that the grammar takes and the data pass, evaluated as Glue does."""
    known: list[tuple[Proposal, str]] = []
    left: list[tuple[Proposal, str]] = []
    for each in proposals:
        try:
            (rule,) = parse(jvm, f"Rules = [ {each.rule} ]").rules
            known.append((each, rule.text))
        except RulesetError as error:
            left.append((each, f"AWS's grammar refuses it: {error}"))
    if not known:
        return Kept([], left)
    evaluation = evaluate(frame, "Rules = [\n" + ",\n".join(each.rule for each, _ in known) + "\n]")
    outcomes = {rule.text: outcome for rule, outcome in evaluation.rules}
    passed: list[Proposal] = []
    for each, text in known:
        outcome = outcomes[text]
        if outcome.passed:
            passed.append(each)
        else:
            left.append((each, f"the data do not pass it: {outcome.message or 'no reason is given'}"))
    return Kept(passed, left)


def ruleset(title: str, profiles: Sequence[Profile], proposals: Sequence[Proposal]) -> str:
    """The proposals as a commented ruleset."""
    lines = [f"# Proposed from {ascii_only(title)}.", "#"]
    lines += ["# The data pass every rule: each was evaluated on them before this was written. The rules know this one"]
    lines += ["# delivery alone; what the next may bring is yours to say.", "", "Rules = ["]
    rules: list[str] = []
    by_name = {each.name: each for each in profiles}
    for part, heading in TITLES.items():
        those = [each for each in proposals if each.part == part]
        if those:
            rules += ["", f"    # {heading}"] if rules else [f"    # {heading}"]
            rules += _commented(those, by_name)
    lines += _with_commas(rules)
    return "\n".join([*lines, "]", *_unruled(profiles, proposals)]) + "\n"


def _commented(proposals: Sequence[Proposal], profiles: dict[str, Profile]) -> list[str]:
    lines: list[str] = []
    about: str | None = ""
    for each in proposals:
        if each.column is not None and each.why and each.column != about:
            lines += ["", f"    # {described(profiles[each.column])}."]
            about = each.column
        if each.why:
            lines.append(f"    # {ascii_only(each.why)}")
        elif about != GROUP:
            lines += ["", "    # The columns that came; a job or a warehouse that reads them needs them all."]
            about = GROUP
        lines.append(f"    {each.rule}")
    return lines


GROUP = "\0columns"


def _with_commas(lines: list[str]) -> list[str]:
    """A comma after each rule but the last."""
    rules = [at for at, line in enumerate(lines) if line.strip() and not line.lstrip().startswith("#")]
    return [f"{line}," if at in rules[:-1] else line for at, line in enumerate(lines)]


def _unruled(profiles: Sequence[Profile], proposals: Sequence[Proposal]) -> list[str]:
    """A comment on each column that no rule is about, but for being there."""
    ruled = {each.column for each in proposals if each.why}
    lines = [f"# {described(each)}." for each in profiles if each.name not in ruled]
    return ["", "# No rule on the values of:", *lines] if lines else []


def _has_equal_rows(frame: DataFrame, profiles: Sequence[Profile], rows: int) -> bool:
    if any(each.unique for each in profiles):
        return False
    plain = [each.name for each in profiles if not each.type.startswith("map")]
    return frame.select(*(f"`{name.replace('`', '``')}`" for name in plain)).distinct().count() < rows


def _told(trial: Trial) -> dict[str, Any]:
    return {**asdict(trial), "caught": trial.caught}


def _end_with_stdin() -> None:
    """Whoever started this has gone: nobody waits for the result."""
    sys.stdin.buffer.read()
    os._exit(1)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line: exit code 0, or 2 where the data are unusable."""
    parser = argparse.ArgumentParser(prog="pipeline dq recommend")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--part", choices=(BATCH, ROWS, "all"), default="all")
    parser.add_argument("--text", action="store_true")
    arguments = parser.parse_args(argv)
    # The JVM and its libraries print to stdout as they like; the events need it for themselves.
    events = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    threading.Thread(target=_end_with_stdin, daemon=True).start()
    try:
        Recommendation(arguments, events).run()
    except DataError as error:
        events.write(json.dumps({"error": str(error)}) + "\n")
        events.flush()
        return 2
    return 0


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    os._exit(code)  # the JVM ends with this process
