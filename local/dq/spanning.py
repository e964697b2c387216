"""CSV rows that span lines: a copy of the file with a row a line.

Glue reads such rows with the option `multiLine`:
https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-format-csv-home.html
"""

from __future__ import annotations

import gzip
import re
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

# Stands for a line break inside a field.
BREAK = "\x1b\x1b"
# More is no field: it is a quote that somebody forgot to close.
MOST_LINES = 200


def opened(path: Path) -> IO[bytes]:
    """A file, unpacked if it is compressed."""
    return gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb")  # type: ignore[return-value]


def with_a_row_a_line(path: Path, separator: str, width: int, folder: Path) -> tuple[Path, int]:
    """A copy in `folder` where each row is on a line, and how many rows spanned lines; the file itself if none did.

    Lines are put together if that closes a field's quotes and makes a row of `width` fields. A quote that is never
    closed makes no row, and its line stays as it is.
    """
    form = _Form(separator.encode(), width)
    with opened(path) as file:
        if not any(map(form.is_open, file)):
            return path, 0
    copy = folder / f"{len(list(folder.iterdir()))}{path.with_suffix('').suffix or '.csv'}"
    spanning = 0
    with opened(path) as file, copy.open("wb") as out:
        for row, lines in _rows(file, form):
            out.write(row)
            spanning += lines > 1
    return (copy, spanning) if spanning else (path, 0)


class _Form:
    """How a row looks."""

    def __init__(self, separator: bytes, width: int) -> None:
        mark = re.escape(separator)
        self._opened = re.compile(rb'(?:^|%b)\s*"(?:[^"]|"")*$' % mark)
        field = rb'(?:\s*"(?:[^"]|"")*"\s*|[^"%b]*)' % mark
        self._row = re.compile(rb"%b(?:%b%b){%d}" % (field, mark, field, width - 1))

    def is_open(self, row: bytes) -> bool:
        """Whether a field's quotes are not closed where the row ends."""
        return row.count(b'"') % 2 == 1 and self._opened.search(row.rstrip(b"\r\n")) is not None

    def is_row(self, row: bytes) -> bool:
        """Whether this is a row of all fields, with quotes only around a field and doubled within."""
        return self._row.fullmatch(row.rstrip(b"\r\n")) is not None


def _rows(lines: Iterable[bytes], form: _Form) -> Iterator[tuple[bytes, int]]:
    """Rows, and of how many lines each is."""
    source, ahead = iter(lines), deque[bytes]()

    def following() -> bytes | None:
        return ahead.popleft() if ahead else next(source, None)

    while (line := following()) is not None:
        taken, row = [line], line
        while form.is_open(row) and len(taken) < MOST_LINES and (more := following()) is not None:
            taken.append(more)
            row = row.rstrip(b"\r\n") + BREAK.encode() + more
        if len(taken) > 1 and form.is_row(row):
            yield row, len(taken)
        else:
            yield line, 1
            ahead.extendleft(reversed(taken[1:]))
