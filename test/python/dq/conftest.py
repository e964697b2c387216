"""Golden cases of the data quality engine: small data files, one a topic."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

CASES = Path(__file__).parent / "cases"


def frame(spark: Any, data: dict[str, Any]) -> Any:
    """A DataFrame of a dataset in cases/data.json: values as text, cast to the columns' types."""
    names = [column.split()[0] for column in data["columns"].split(", ")]
    texts = [[None if value is None else str(value) for value in row] for row in data["rows"]]
    raw = spark.createDataFrame(texts, ", ".join(f"{name} string" for name in names))
    types = [column.partition(" ")[2] for column in data["columns"].split(", ")]
    return raw.selectExpr(*(f"cast({name} as {kind}) as {name}" for name, kind in zip(names, types, strict=True)))


@pytest.fixture(scope="session")
def datasets(spark: Any) -> dict[str, Any]:
    """The datasets that the cases are about, as DataFrames."""
    described = json.loads((CASES / "data.json").read_text())
    return {name: frame(spark, data) for name, data in described.items()}
