"""The review of a checkout's rule files."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from local.dq.review.checks import Subject, check, plain
from local.dq.review.evidence import Evidence, PlantedFault, gather, of_gate, of_rows
from local.dq.review.findings import KINDS, Finding, ordered
from local.dq.review.lake import AFTER_LAST, Judged, Lake, tables_of
from local.dq.review.sample import Maker, options
from local.dq.review.source import Place, RuleFile
from local.dq.rules import Rule, RulesetError, parse

SOUND, WHOLE_SOUND, SPOILED = "sound", "whole", "spoiled"
SMALL = ("--small",)
# Three rows of each kind of fault in the small sample.
SOME_FAULTS = ("--faults", "rows", "--fault-rate", "0.0015")
# What only a sample can show.
OF_SAMPLE = frozenset({"fails-on-sample", "never-passes-on-sample", "not-evaluated", "no-fault", "fault-missed"})
OF_SAMPLE |= {"idle-where", "unknown-column", "wrong-type"}

Note = Callable[[str], None]


@dataclass(frozen=True)
class Parsed:
    """A rule file that the grammar takes, and what it is for."""

    file: RuleFile
    dataset: str
    kind: Any  # gate, rows, or any for a file that belongs to no dataset
    rules: list[tuple[Rule, Place]]

    def subject(
        self,
        frame: DataFrame | None = None,
        texts: Iterable[str] = (),
        others: Mapping[str, DataFrame] | None = None,
    ) -> Subject:
        """The file with what the frame of its table tells of the columns."""
        columns = _columns(frame) if frame is not None else None
        known = {alias: _columns(each) for alias, each in (others or {}).items()}
        return Subject(self.file, self.kind, self.rules, columns, frozenset(map(plain, texts)), known)


def rule_files(root: Path) -> list[Path]:
    """The rule files of a checkout."""
    return sorted((root / "dqdl-rules").glob("*.dqdl"))


def read(jvm: Any, files: Sequence[RuleFile], root: Path) -> tuple[list[Parsed], list[Finding]]:
    """Parse rule files with AWS's grammar; what it refuses is a finding."""
    names = {entry["name"] for entry in tables_of(root)}
    parsed: list[Parsed] = []
    findings: list[Finding] = []
    for file in files:
        try:
            rules = parse(jvm, file.text).rules
        except RulesetError as error:
            findings.append(_refused(file, str(error)))
            continue
        places = file.places
        if len(places) != len(rules):
            raise RuntimeError(f"{file.name}: {len(rules)} rules are parsed, but {len(places)} found in the text")
        dataset, _, kind = file.path.stem.rpartition("_")
        known = dataset in names and kind in ("gate", "rows")
        parsed.append(
            Parsed(file, dataset if known else "", kind if known else "any", list(zip(rules, places, strict=True)))
        )
    return parsed, findings


def _refused(file: RuleFile, message: str) -> Finding:
    """What the grammar says, at the line that it names."""
    place = re.search(r"line (\d+)", message)
    line = int(place[1]) if place else 1
    return Finding("grammar", file.name, line, file.line(line), message)


def accepted(file: RuleFile, findings: Iterable[Finding], with_sample: bool) -> Iterator[Finding]:
    """The findings on a file that no comment accepts, and one for each comment that accepts nothing."""
    left = [finding for finding in findings if finding.file == file.name]
    for place in file.places:
        for acceptance in place.accepted:
            met = [each for each in left if each.line == place.line and each.kind == acceptance.kind]
            left = [each for each in left if each not in met]
            if acceptance.kind not in KINDS:
                why = f"There is no kind of finding called {acceptance.kind}; known are {', '.join(KINDS)}."
            elif met or (acceptance.kind in OF_SAMPLE and not with_sample):
                continue
            else:
                why = f"The rule below has no finding of the kind {acceptance.kind}."
            yield Finding("idle-acceptance", file.name, acceptance.line, file.line(acceptance.line), why)
    yield from left


class Review:
    """A review of rule files in `spark`, on the local cloud that AWS_ENDPOINT_URL names.

    Samples go to the folder `work`. `note` is told what is being done.
    """

    def __init__(self, root: Path, spark: SparkSession, work: Path, note: Note = lambda _: None) -> None:
        self._root, self._note = root, note
        self._maker = Maker(root, work)
        self._lake = Lake(spark, root / "glue-scripts")
        self._entries = {entry["name"]: entry for entry in tables_of(root)}
        self._samples: dict[str, dict[str, list[Path]]] = {}
        self._published: set[str] = set()

    def findings(self, parsed: Sequence[Parsed]) -> list[Finding]:
        """All findings on the files, but for those that comments accept."""
        found: list[Finding] = []
        for each in parsed:
            if each.dataset not in self._sample(WHOLE_SOUND):
                found += accepted(each.file, check(each.subject()), with_sample=False)
        # In the order of the datasets: one may refer to another, whose rows are published first.
        for name in self._entries:
            for each in parsed:
                if each.dataset == name and name in self._sample(WHOLE_SOUND):
                    self._note(f"reviewing {each.file.name}")
                    review = self._of_gate if each.kind == "gate" else self._of_rows
                    found += accepted(each.file, review(each), with_sample=True)
        return ordered(found)

    def _of_gate(self, each: Parsed) -> list[Finding]:
        others = self._referred(each.dataset)
        schema = self._lake.put_batch(each.dataset, self._sample(WHOLE_SOUND)[each.dataset])
        frame = self._lake.batch(each.dataset)
        subject = each.subject(frame, _texts(schema), others)
        sound = self._gather(each, others)
        faulty: list[tuple[list[PlantedFault], Evidence]] = []
        for index, sample in enumerate(self._faulty_samples()):
            if faults := sample.get(each.dataset):
                files = self._sample(f"faulty-{index}", *options(sample))[each.dataset]
                self._lake.put_batch(each.dataset, files)
                faulty.append((faults, self._gather(each, others)))
        return [*check(subject), *of_gate(subject, sound, faulty)]

    def _of_rows(self, each: Parsed) -> list[Finding]:
        self._referred(each.dataset)
        schema = self._lake.put_batch(each.dataset, self._sample(SOUND, *SMALL)[each.dataset])
        judged = self._lake.judged(each.dataset, each.file.text)
        subject = each.subject(judged.frame, _texts(schema), judged.sources)
        sound = _rows_of(each, judged)
        faults = self._spoil(each.dataset)
        spoiled = _rows_of(each, self._lake.judged(each.dataset, each.file.text)) if faults else None
        return [*check(subject), *of_rows(subject, sound, spoiled, faults)]

    def _spoil(self, dataset: str) -> list[PlantedFault]:
        files = self._sample(SPOILED, *SMALL, *SOME_FAULTS)
        self._lake.put_batch(dataset, files[dataset])
        return self._maker.row_faults(SPOILED, dataset)

    def _gather(self, each: Parsed, others: Mapping[str, DataFrame]) -> Evidence:
        return gather(self._lake.batch(each.dataset), each.file.text, others, by_rows=False)

    def _referred(self, dataset: str) -> dict[str, DataFrame]:
        """The tables that the dataset refers to, by the alias that its gate knows them by."""
        tables = {}
        for other in self._entries[dataset].get("refers_to", []):
            if other not in self._published and other in self._sample(WHOLE_SOUND):
                self._referred(other)
                self._note(f"running the job of {other}, to which {dataset} refers")
                self._lake.put_batch(other, self._sample(WHOLE_SOUND)[other])
                self._lake.publish(other)
                self._published.add(other)
            tables[other] = self._lake.published(self._entries[other]["tables"][0])
        return tables

    def _faulty_samples(self) -> list[dict[str, list[PlantedFault]]]:
        sound = self._sample(WHOLE_SOUND)
        columns = {name: list(self._lake.put_batch(name, files).columns) for name, files in sound.items()}
        return self._maker.batch_faults(columns)

    def _sample(self, name: str, *how: str) -> dict[str, list[Path]]:
        if name not in self._samples:
            self._note(f"making a sample{': ' + ' '.join(how) if how else ''}"[:100])
            self._samples[name] = self._maker.make(name, *how)
        return self._samples[name]


def _rows_of(each: Parsed, judged: Judged) -> Evidence:
    return gather(judged.frame, each.file.text, judged.sources, by_rows=True, composites_by_row=judged.by_row)


def _columns(frame: DataFrame) -> dict[str, str]:
    return {plain(field.name): field.dataType.simpleString() for field in frame.schema}


def _texts(schema: Any) -> list[str]:
    return [*schema.columns, AFTER_LAST] if schema.classification == "csv" else []
