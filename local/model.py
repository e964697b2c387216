"""What a service's published model says beyond the types that botocore checks: enumerations, patterns and lengths."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

# A model's patterns are Java's, which write the characters beyond 16 bits as two.
PAIRS = r"\uD800\uDC00-\uDBFF\uDFFF"
BEYOND = r"\U00010000-\U0010FFFF"


def problems(value: Any, shape: Any, path: str = "") -> Iterator[str]:
    """What a value of a shape breaks; a value of the wrong type, which is botocore's to find, breaks nothing here."""
    kind = shape.type_name
    if kind == "structure" and isinstance(value, dict):
        for name, item in value.items():
            if name in shape.members:
                yield from problems(item, shape.members[name], f"{path}.{name}".lstrip("."))
    elif kind == "map" and isinstance(value, dict):
        for key, item in value.items():
            yield from problems(key, shape.key, f"{path} (name {key!r})")
            yield from problems(item, shape.value, f"{path}.{key}".lstrip("."))
    elif kind == "list" and isinstance(value, list):
        yield from _length(value, shape, path)
        for index, item in enumerate(value):
            yield from problems(item, shape.member, f"{path}[{index}]")
    elif kind == "string" and isinstance(value, str):
        yield from _length(value, shape, path)
        yield from _text(value, shape, path)


def _length(value: Any, shape: Any, path: str) -> Iterator[str]:
    least, most = shape.metadata.get("min", 0), shape.metadata.get("max", float("inf"))
    if not least <= len(value) <= most:
        yield f"{path}: its length is {len(value)}, want {least} to {most}"


def _text(value: str, shape: Any, path: str) -> Iterator[str]:
    if shape.enum and value not in shape.enum:
        yield f"{path}: {value!r} is none of {', '.join(shape.enum)}"
    pattern = shape.metadata.get("pattern")
    if pattern and not re.fullmatch(pattern.replace(PAIRS, BEYOND), value):
        yield f"{path}: {value[:80]!r} does not match {pattern}"
