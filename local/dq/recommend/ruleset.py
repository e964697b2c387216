"""Proposals that data pass, written as a commented ruleset."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pyspark.sql import DataFrame

from local.dq.engine import evaluate
from local.dq.recommend.profile import Profile
from local.dq.recommend.propose import BATCH, ROWS, Proposal, ascii_only, described
from local.dq.rules import RulesetError, parse

TITLES = {
    BATCH: "The batch as a whole: rules for a gate.",
    ROWS: "Single rows: rules for a job, which sends rows that break one to quarantine.",
}


@dataclass(frozen=True)
class Kept:
    """The proposals that the data pass, and those left out, each with the reason."""

    proposals: list[Proposal]
    left_out: list[tuple[Proposal, str]]


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


# Stands for the columns that rules only ask for.
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
