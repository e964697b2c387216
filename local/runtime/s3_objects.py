"""Which objects in S3 a source of a job reads.

https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-connect-s3-home.html
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import boto3


def true(value: Any) -> bool:
    """Glue's options take booleans and their names."""
    return str(value).lower() == "true"


@dataclass(frozen=True)
class Object:
    """An object in S3."""

    bucket: str
    key: str
    size: int

    @property
    def path(self) -> str:
        """Its path for Spark, which takes these characters for patterns otherwise."""
        return re.sub(r"([\[\]{}*?\\])", r"\\\1", f"s3://{self.bucket}/{self.key}")


def list_objects(options: dict[str, Any]) -> list[Object]:
    """The objects that the options name, in the order of their keys, without hidden and empty ones."""
    paths = [options["path"]] if "path" in options else list(options["paths"])
    excluded = [re.compile(_glob(pattern)) for pattern in _exclusions(options.get("exclusions"))]
    found: dict[tuple[str, str], Object] = {}
    for path in paths:
        for item in _under(path, true(options.get("recurse"))):
            relative = item.key.removeprefix(urlsplit(path).path.lstrip("/")).lstrip("/")
            names = (relative, item.key, f"s3://{item.bucket}/{item.key}")
            if item.size > 0 and not any(pattern.fullmatch(name) for pattern in excluded for name in names):
                found[item.bucket, item.key] = item
    return bounded([found[place] for place in sorted(found)], options)


def _under(path: str, recurse: bool) -> Iterator[Object]:
    """The object of that name, else those in the folder: in folders below it, too, if `recurse`."""
    where = urlsplit(path)
    prefix = where.path.lstrip("/")
    if any(sign in prefix for sign in "*{}"):
        raise NotImplementedError(f"S3 source: a pattern in the path {path}")
    folder = prefix if not prefix or prefix.endswith("/") else prefix + "/"
    for page in boto3.client("s3").get_paginator("list_objects_v2").paginate(Bucket=where.netloc, Prefix=prefix):
        for item in page.get("Contents", []):
            key = item["Key"]
            if key != prefix and not key.startswith(folder):
                continue
            below = key.removeprefix(folder) if key.startswith(folder) else ""
            if key.endswith("/") or ("/" in below and not recurse):
                continue
            if not any(part.startswith(("_", ".")) for part in (below or key.rpartition("/")[2]).split("/")):
                yield Object(where.netloc, key, item["Size"])


def _exclusions(given: Any) -> list[str]:
    """A list of patterns, or a text that holds such a list as JSON."""
    return list(json.loads(given) if isinstance(given, str) and given else given or [])


def _glob(pattern: str) -> str:
    """A pattern of Glue's as a regular expression: ** crosses folders, * and ? do not.

    https://docs.aws.amazon.com/glue/latest/dg/define-crawler-choose-data-sources.html
    """
    signs = {"**": ".*", "*": "[^/]*", "?": "[^/]", "{": "(?:", "}": ")", ",": "|"}
    depth, parts = 0, []
    for token in re.findall(r"\*\*|\[[^\]]*\]|\\.|.", pattern):
        depth += (token == "{") - (token == "}")
        if token[0] == "[" and len(token) > 1:
            parts.append("[" + token[1:].replace("!", "^", 1) if token[1] == "!" else token)
        elif token == "," and not depth:
            parts.append(",")
        else:
            parts.append(signs.get(token) or re.escape(token[-1] if token[0] == "\\" else token))
    return "".join(parts)


def bounded(objects: list[Object], options: dict[str, Any]) -> list[Object]:
    """At most `boundedFiles` objects, and no more than fit in `boundedSize` bytes."""
    files = int(options.get("boundedFiles") or len(objects))
    size = int(options.get("boundedSize") or sum(item.size for item in objects))
    chosen: list[Object] = []
    for item in objects[:files]:
        size -= item.size
        if size < 0:
            break
        chosen.append(item)
    return chosen
