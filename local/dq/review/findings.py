"""What can be wrong with a rule, and how it is told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass

# Each kind of finding, and what to do about it.
KINDS = {
    "grammar": "Write it as https://docs.aws.amazon.com/glue/latest/dg/dqdl.html has it.",
    "unknown-column": "Name a column that the table has.",
    "wrong-type": "Rule on a column of the fitting type, or use a condition that fits the column.",
    "never-fails": "Take the rule out, or write a condition that some batch can break.",
    "never-passes": "Mend the condition: as it is, every batch breaks it.",
    "never-passes-on-sample": "Mend the condition, or the sample if the rule is right.",
    "fails-on-sample": "Mend the rule, or the sample if the rule is right.",
    "not-evaluated": "Write the rule in a way that can be evaluated; one that cannot fails on AWS, too.",
    "no-fault": "Plant a fault in sample-data/faults.py that this rule must catch, or take the rule out.",
    "fault-missed": "Mend the rule, or name in sample-data/faults.py the rule that catches this fault.",
    "idle-where": "Take the clause out, or mend it: it tells no row from another.",
    "says-nothing-of-rows": "Move the rule to the gate, or write one about the value in each row.",
    "passes-rows-unseen": "Join or type in the job, and rule on the column that comes of it.",
    "does-not-scale": "Work it out in the job's SQL, and rule on the column that comes of it.",
    "blank-passes": 'Ask for text: ColumnValues matches "^.*[^ ].*$", or rule on the typed column.',
    "refused-in-gates": "Leave it to the rules of the job; a gate compares with numbers.",
    "repeated-rule": "Take one of them out.",
    "idle-acceptance": "Take the comment out, or mend the kind it names.",
}


@dataclass(frozen=True)
class Finding:
    """Something wrong with a rule. `line` counts from 1; `rule` is the rule as Glue shows it, or a line of the file."""

    kind: str
    file: str
    line: int
    rule: str
    why: str

    @property
    def todo(self) -> str:
        """What to do about it."""
        return KINDS[self.kind]

    def text(self) -> str:
        """The finding as people read it: where and what, why, what to do."""
        return f"{self.file}:{self.line}: {self.kind}: {self.rule}\n    {self.why}\n    {self.todo}"

    def as_json(self) -> dict[str, str | int]:
        """The finding for programs."""
        return {**asdict(self), "todo": self.todo}


def ordered(findings: Iterable[Finding]) -> list[Finding]:
    """By file and line, each once."""
    return sorted(set(findings), key=lambda each: (each.file, each.line, each.kind, each.why))
