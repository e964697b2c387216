"""The project's own planted faults, tried on a delivery of one of its datasets."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from types import ModuleType
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from local.dq.predicates import column
from local.dq.recommend.trial import NUMBER, Trial, broken_by_row, failing, is_about, numbered, schema_of
from local.dq.review.sample import GONE, parted

# The maker spoils rows in Python; what is tried there is tried on so many.
MOST_ROWS = 200_000


def dataset_of(faults: ModuleType, columns: Sequence[str]) -> str:
    """The dataset whose faults are about columns like these, or ""."""
    for dataset, batch_faults in faults.BATCH_FAULTS.items():
        wanted = {fault.column for fault in batch_faults if fault.name == GONE}
        if wanted and wanted.issubset(columns):
            return dataset
    return ""


def planted(frame: DataFrame, texts: DataFrame, text: str, faults: ModuleType, dataset: str) -> list[Trial]:
    """Try a dataset's faults on `frame`; `texts` are its rows as text, which the maker's faults spoil."""
    trials: dict[str, Trial] = {}
    _rows(frame, texts, text, faults, dataset, trials)
    _batches(frame, texts, text, faults, dataset, trials)
    return list(trials.values())


def _rows(
    frame: DataFrame, texts: DataFrame, text: str, faults: ModuleType, dataset: str, trials: dict[str, Trial]
) -> None:
    kinds = faults.ROW_FAULTS[dataset]
    rows = [row.asDict() for row in texts.limit(len(kinds)).collect()]
    now = int(datetime.now(UTC).timestamp())
    added: list[tuple[int, dict[str, Any]]] = []
    spoiled: list[tuple[int, dict[str, Any]]] = []
    for number, (fault, row) in enumerate(zip(kinds, rows, strict=False), start=1):
        fields = {name: value or "" for name, value in row.items()}
        fault.spoil(fields, now, number)
        kept = len(fields) + min(fault.fields, 0)
        values = {name: value if at < kept else None for at, (name, value) in enumerate(fields.items())}
        (added if fault.adds else spoiled).append((number, values))
    changed = {number for number, _ in spoiled}
    whole = numbered(frame).where(~column(NUMBER).isin(*changed)) if changed else numbered(frame)
    # A row that repeats another has the number of that one: the rules that either breaks are what catches it.
    for number, values in [*spoiled, *added]:
        whole = whole.unionByName(_typed(frame, [values]).withColumn(NUMBER, F.lit(number)))
    broken = broken_by_row(whole, text, len(kinds))
    for number, fault in enumerate(kinds[: len(rows)], start=1):
        trial = trials.setdefault(fault.name, Trial(fault.name))
        # That no two rows are equal is no rule on a column, and one fault alone makes such rows.
        equal = [rule.text for rule in broken.whole if rule.type == "CustomSql" and "struct(*)" in rule.text]
        trial.note(fault.column, broken.of(number, fault.column) + (equal if fault.rule == faults.DUPLICATE else []))


def _batches(
    frame: DataFrame, texts: DataFrame, text: str, faults: ModuleType, dataset: str, trials: dict[str, Trial]
) -> None:
    rows = [row.asDict() for row in texts.collect()]
    for group in parted(faults.BATCH_FAULTS[dataset], len(texts.columns)):
        spoiled = rows
        gone = [fault.column for fault in group if fault.name == GONE]
        for fault in group:
            if fault.name == "half_the_rows":
                spoiled = spoiled[: len(spoiled) // 2]
            elif fault.name == "key_not_unique":
                keys = fault.column.split(", ")
                spoiled = [
                    {**row, **{key: spoiled[at - 1][key] for key in keys}} if at % 5 == 1 else row
                    for at, row in enumerate(spoiled)
                ]
            elif fault.spoil is not None:
                spoiled = [{**row, fault.column: fault.spoil(row[fault.column] or "")} for row in spoiled]
        rules = failing(_typed(frame, spoiled).drop(*gone), text)
        for fault in group:
            trial = trials.setdefault(fault.name, Trial(fault.name))
            named = [] if fault.column is None else fault.column.split(", ")
            trial.note(fault.column or "the batch", [rule.text for rule in rules if _tells(rule, named, fault.name)])


def _tells(rule: Any, columns: Sequence[str], fault: str) -> bool:
    if not columns:
        return rule.type == "RowCount"
    if fault == GONE:
        return rule.type == "ColumnExists" and is_about(rule, columns[0])
    return rule.type != "ColumnExists" and any(is_about(rule, name) for name in columns)


def _typed(frame: DataFrame, rows: Sequence[dict[str, Any]]) -> DataFrame:
    """Rows of texts as the frame's types; a text that is none of its type is NULL, as where a file is read."""
    names = list(frame.columns)
    data = [[row.get(name) for name in names] for row in rows]
    schema = ", ".join(f"c{index} string" for index in range(len(names)))
    given = frame.sparkSession.createDataFrame(data, schema)
    kinds = schema_of(frame)
    return given.select(*(column(f"c{index}").cast(kinds[name]).alias(name) for index, name in enumerate(names)))
