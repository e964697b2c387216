"""DAGs against the service's own model: names, required members, enumerations, patterns and lengths."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from running_cloud import ROOT

NODES = botocore.session.get_session().get_service_model("glue").shape_for("CodeGenConfigurationNodes")
FILES = sorted([*(ROOT / "glue-scripts").glob("*.dag.json"), *(ROOT / "test/python/visual").glob("*/dag.json")])


def resolved(value: Any) -> Any:
    """The value as it is registered: texts of files in the place of includes, a name in the place of placeholders."""
    if isinstance(value, dict):
        return {key: resolved(item) for key, item in value.items()}
    if isinstance(value, list):
        return [resolved(item) for item in value]
    if isinstance(value, str):
        if include := re.fullmatch(r"\$\{file:(.*)\}", value):
            return (ROOT / include[1]).read_text()
        return re.sub(r"\$\{\w+\}", "some-name", value)
    return value


def python_pattern(pattern: str) -> str:
    """A pattern of the model, whose code points beyond the first plane are written as pairs of surrogates."""
    return re.sub(r"\\uD800\\uDC00-\\uDBFF\\uDFFF", r"\\U00010000-\\U0010FFFF", pattern, flags=re.I)


def faults(value: Any, shape: Any, path: str = "") -> Iterator[str]:
    """What the model does not allow."""
    if shape.type_name == "structure":
        if unknown := [name for name in value if name not in shape.members]:
            yield f"{path}: unknown {unknown}"
        if missing := [name for name in shape.required_members if name not in value]:
            yield f"{path}: missing {missing}"
        for name, item in value.items():
            if name in shape.members:
                yield from faults(item, shape.members[name], f"{path}.{name}")
    elif shape.type_name == "list":
        yield from counted(len(value), shape, path)
        for number, item in enumerate(value):
            yield from faults(item, shape.member, f"{path}[{number}]")
    elif shape.type_name == "map":
        for name, item in value.items():
            yield from faults(name, shape.key, f"{path} key {name}")
            yield from faults(item, shape.value, f"{path}.{name}")
    elif shape.type_name == "string":
        yield from counted(len(value), shape, path)
        known = shape.metadata.get("enum")
        if known and value not in known:
            yield f"{path}: {value!r} is none of {known}"
        pattern = shape.metadata.get("pattern")
        if pattern and not re.fullmatch(python_pattern(pattern), value):
            yield f"{path}: {value!r} is not {pattern}"


def counted(length: int, shape: Any, path: str) -> Iterator[str]:
    """What is too short or too long."""
    if length < shape.metadata.get("min", 0) or length > shape.metadata.get("max", length):
        yield f"{path}: {length} is not within {shape.metadata.get('min', 0)} and {shape.metadata.get('max')}"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(ROOT).as_posix())
def test_a_dag_is_what_the_service_takes(file: Path) -> None:
    assert list(faults(resolved(json.loads(file.read_text())), NODES)) == []


def test_what_the_model_does_not_allow_is_found() -> None:
    dag = {
        "node 1": {"S3DirectTarget": {"Name": "x\ny", "Inputs": [], "Path": "s3://x", "Format": "xlsx", "Zip": "no"}},
    }
    found = "\n".join(faults(dag, NODES))
    for part in (
        "key node 1: 'node 1' is not",
        "'x\\ny' is not",
        "'xlsx' is none of",
        "unknown ['Zip']",
        "0 is not within 1",
    ):
        assert part in found
