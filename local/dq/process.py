"""A process behind the command line: it tells what it does and finds as lines of JSON on stdout, one event a line.

- {"step": name, "detail": text}: what begins; {"note": text}: what a person should know
- {"result": {...}} or {"error": text}: the end; an error says that the rules or the data are unusable

The process ends with its stdin.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from typing import Any, TextIO

UNUSABLE = 2


class Events:
    """The events of a process."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def tell(self, **event: Any) -> None:
        """Tell what happens."""
        self._out.write(json.dumps(event) + "\n")
        self._out.flush()


def begin() -> Events:
    """Keep stdout for the events, and end with stdin from now on."""
    # The JVM and its libraries print to stdout as they like.
    events = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    threading.Thread(target=_end_with_stdin, daemon=True).start()
    return Events(events)


def _end_with_stdin() -> None:
    """Whoever started this has gone: nobody waits for the result."""
    sys.stdin.buffer.read()
    os._exit(1)
