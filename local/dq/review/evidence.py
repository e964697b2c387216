"""What the sample and its planted faults tell of the rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pyspark.errors import PySparkException
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import StructField, StructType

from local.dq.engine import RULES_FAIL, RULES_PASS, evaluate
from local.dq.review.checks import Subject, columns_of, plain
from local.dq.review.findings import Finding
from local.dq.rules import Rule

# Rules that a missing column is meant to break; any other is not tried by a batch that lacks its column.
ABOUT_COLUMNS = ("ColumnExists", "ColumnCount", "SchemaMatch", "ColumnNamesMatchPattern")
UNRESOLVED = ("UNRESOLVED_COLUMN", "UNRESOLVED_FIELD", "TABLE_OR_VIEW_NOT_FOUND")


@dataclass(frozen=True)
class Verdict:
    """What a rule gave on some data: the outcome, why, and how many rows keep and break it."""

    passed: bool | None
    message: str
    kept: int = 0
    broken: int = 0


@dataclass
class Evidence:
    """The verdicts on one batch by the text of the rule, and how many rows each `where` keeps of how many.

    `always` are the clauses that keep each row of any batch.
    """

    verdicts: dict[str, Verdict]
    columns: frozenset[str]
    where: dict[str, int] = field(default_factory=dict)
    always: set[str] = field(default_factory=set)
    rows: int = 0


@dataclass(frozen=True)
class PlantedFault:
    """A fault that a batch has, and the rule that must catch it, as Glue shows rules."""

    name: str
    column: str | None
    rule: str

    def text(self) -> str:
        """The fault as people name it."""
        return f"{self.name} of {self.column}" if self.column else self.name


def gather(
    frame: DataFrame, text: str, sources: Mapping[str, DataFrame], by_rows: bool, composites_by_row: bool = False
) -> Evidence:
    """Evaluate a ruleset on a batch; `by_rows` counts the rows that keep and break each rule."""
    frame = frame.cache()
    try:
        evaluation = evaluate(frame, text, sources, composites_by_row, skip_filtered=True)
        counts = _row_counts(evaluation.rows) if by_rows else {}
        verdicts = {
            rule.text: Verdict(
                outcome.passed,
                outcome.message or "",
                counts.get((rule.text, True), 0),
                counts.get((rule.text, False), 0),
            )
            for rule, outcome in evaluation.rules
        }
        found = Evidence(verdicts, frozenset(plain(name) for name in frame.columns))
        leaves = [leaf for rule, _ in evaluation.rules for leaf in rule.leaves()]
        _count_where(frame, leaves, found)
        return found
    finally:
        frame.unpersist()


def _row_counts(rows: DataFrame) -> dict[tuple[str, bool], int]:
    pairs = [f"transform({RULES_PASS}, rule -> struct(rule, true as kept))"]
    pairs.append(f"transform({RULES_FAIL}, rule -> struct(rule, false as kept))")
    exploded = rows.select(F.explode(F.expr(f"concat({', '.join(pairs)})")).alias("each"))
    counted = exploded.groupBy("each.rule", "each.kept").count()
    return {(row["rule"], row["kept"]): row["count"] for row in counted.collect()}


def _count_where(frame: DataFrame, rules: Sequence[Rule], found: Evidence) -> None:
    clauses = []
    for clause in dict.fromkeys(rule.where for rule in rules if rule.where):
        try:
            frame.where(clause)
        except PySparkException:
            continue  # the rule's own verdict says so
        clauses.append(clause)
    wanted = [F.count_if(F.expr(clause)).alias(f"where_{index}") for index, clause in enumerate(clauses)]
    row: Any = frame.agg(F.count(F.lit(1)).alias("rows"), *wanted).first()
    found.rows = row["rows"]
    found.always = {clause for clause in clauses if _always_true(frame, clause)}
    found.where = {clause: row[f"where_{index}"] for index, clause in enumerate(clauses)}


def _always_true(frame: DataFrame, clause: str) -> bool:
    """Whether Spark knows without data that a clause keeps each row: it then plans no filter."""
    spark = frame.sparkSession
    # Columns alone: through what a job makes them of, the optimizer would move the filter out of sight.
    nullable = StructType([StructField(each.name, each.dataType) for each in frame.schema])
    kept: Any = spark.createDataFrame(spark.sparkContext.emptyRDD(), nullable).where(clause)._jdf
    root = kept.queryExecution().optimizedPlan().getClass().getSimpleName()
    # An empty LocalRelation stands for a clause that keeps none.
    return root not in ("Filter", "LocalRelation")


def of_gate(
    subject: Subject, sound: Evidence, faulty: Sequence[tuple[list[PlantedFault], Evidence]]
) -> Iterator[Finding]:
    """Findings on a gate: the sound batch must pass, and each rule must stop one faulty batch at least."""
    yield from _not_evaluated(subject, sound)
    for rule, place in subject.rules:
        verdict = sound.verdicts[rule.text]
        if verdict.passed is False:
            kind = "unknown-column" if _unresolved(verdict) else "fails-on-sample"
            yield subject.finding(kind, rule, place, f"The sound sample breaks it. {verdict.message}")
        elif verdict.passed and faulty and not any(_stops(rule, evidence) for _, evidence in faulty):
            yield subject.finding("no-fault", rule, place, "No fault planted in a batch breaks it.")
    yield from _idle_where(subject, [sound])
    yield from _missed(subject, faulty)


def _stops(rule: Rule, evidence: Evidence) -> bool:
    verdict = evidence.verdicts[rule.text]
    if verdict.passed is not False:
        return False
    return not _missing(rule, evidence) or any(leaf.type in ABOUT_COLUMNS for leaf in rule.leaves())


def _missing(rule: Rule, evidence: Evidence) -> list[str]:
    """The columns that a rule names and the batch does not have."""
    return [name for leaf in rule.leaves() for name in columns_of(leaf) if plain(name) not in evidence.columns]


def _missed(subject: Subject, faulty: Sequence[tuple[list[PlantedFault], Evidence]]) -> Iterator[Finding]:
    places = {rule.text: place.line for rule, place in subject.rules}
    for faults, evidence in faulty:
        for fault in faults:
            verdict = evidence.verdicts.get(fault.rule)
            if verdict is None:
                why = f"The fault {fault.text()} names this rule, which is not in the file."
                yield Finding("fault-missed", subject.file.name, 1, fault.rule, why)
            elif verdict.passed is not False:
                why = f"The fault {fault.text()} names this rule, which a batch with the fault passes."
                yield Finding("fault-missed", subject.file.name, places[fault.rule], fault.rule, why)


def of_rows(
    subject: Subject, sound: Evidence, spoiled: Evidence | None, faults: Sequence[PlantedFault]
) -> Iterator[Finding]:
    """Findings on row rules: a sound row must pass, and each rule must break on a row that a fault has spoiled."""
    yield from _not_evaluated(subject, sound)
    for rule, place in subject.rules:
        verdict = sound.verdicts[rule.text]
        if verdict.passed is None or _missing(rule, sound):
            continue
        if verdict.broken and not verdict.kept:
            why = f"None of the sample's {verdict.broken} rows that it is about keeps it."
            yield subject.finding("never-passes-on-sample", rule, place, why)
        if spoiled is not None and spoiled.verdicts[rule.text].broken <= verdict.broken:
            why = f"None of the {len(faults)} rows that the sample's faults have spoiled breaks it."
            yield subject.finding("no-fault", rule, place, why)
    yield from _idle_where(subject, [sound, *([spoiled] if spoiled else [])])
    yield from _too_few(subject, sound, spoiled, faults)


def _too_few(
    subject: Subject, sound: Evidence, spoiled: Evidence | None, faults: Sequence[PlantedFault]
) -> Iterator[Finding]:
    """Rules that break on fewer rows than faults name them."""
    if spoiled is None:
        return
    places = {rule.text: place.line for rule, place in subject.rules}
    named: dict[str, list[PlantedFault]] = {}
    for fault in faults:
        named.setdefault(fault.rule, []).append(fault)
    for text, those in named.items():
        verdict = spoiled.verdicts.get(text)
        kinds = ", ".join(sorted({fault.text() for fault in those}))
        if verdict is None:
            why = f"The fault {kinds} names this rule, which is not in the file."
            yield Finding("fault-missed", subject.file.name, 1, text, why)
        elif 0 < verdict.broken - sound.verdicts[text].broken < len(those):
            why = f"{len(those)} spoiled rows ({kinds}) name this rule, and only {verdict.broken} rows break it."
            yield Finding("fault-missed", subject.file.name, places[text], text, why)


def _not_evaluated(subject: Subject, sound: Evidence) -> Iterator[Finding]:
    for rule, place in subject.rules:
        verdict = sound.verdicts[rule.text]
        if verdict.passed is None and not any(leaf.dynamic for leaf in rule.leaves()):
            why = f"It cannot be evaluated: {verdict.message or 'no reason is given'}"
            yield subject.finding("unknown-column" if _unresolved(verdict) else "not-evaluated", rule, place, why)


def _unresolved(verdict: Verdict) -> bool:
    """Whether SQL in the rule names what is not there, which Deequ calls a failure and the engine an error."""
    return any(word in verdict.message for word in UNRESOLVED)


def _idle_where(subject: Subject, batches: Sequence[Evidence]) -> Iterator[Finding]:
    for rule, place in subject.leaves():
        counts = [(batch.where[rule.where], batch.rows) for batch in batches if rule.where in batch.where]
        if rule.where is None or not counts:
            continue
        if any(rule.where in batch.always for batch in batches):
            yield subject.finding("idle-where", rule, place, "`where` holds for any row of any batch.")
        elif not any(kept for kept, _ in counts):
            why = f"`where` leaves out all of the sample's {max(rows for _, rows in counts)} rows."
            yield subject.finding("idle-where", rule, place, why)
