"""Parse rule files with AWS's own grammar: `python -m local.dq.grammar FILE…`, which every synthesis runs first.

Each file that the grammar refuses is a line `FILE: what is wrong` on stderr. Exit code 0: all are DQDL, 1: some are
not, 2: a file cannot be read.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from local.dq.review.session import grammar
from local.dq.review.source import RuleFile
from local.dq.rules import RulesetError, parse


def main(names: list[str]) -> int:
    """Parse the files and give the exit code."""
    try:
        files = [RuleFile.read(Path(name), Path.cwd()) for name in names]
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    jvm = grammar()
    refused = 0
    for file in files:
        try:
            parse(jvm, file.text)
        except RulesetError as error:
            refused += 1
            print(f"{file.name}: {error}", file=sys.stderr)
    return 1 if refused else 0


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stderr.flush()
    os._exit(code)  # the JVM ends with this process
