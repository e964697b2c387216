"""Evaluate a ruleset on files of this machine: the process behind `pipeline dq`. It needs no local cloud.

Its result is {"passed", "failed", "rules", "analyzers", "rows", "failing"}; see on_files.py and process.py.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from local.dq.process import UNUSABLE, begin
from local.runtime.jvm import Jvm
from local.spark import NOWHERE, jvm_command, spark_conf


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Evaluate a DQDL ruleset on files of this machine.")
    parser.add_argument("--rules", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--source", type=_source, action="append", default=[], metavar="ALIAS=FILE")
    parser.add_argument("--rows", type=Path)
    parser.add_argument("--history", type=Path)
    parser.add_argument("--limit", type=int, default=0)
    parser.add_argument("--text", action="store_true")
    parser.add_argument("--by-row", action="store_true")
    parser.add_argument("--large", action="store_true")
    return parser.parse_args()


def _source(text: str) -> tuple[str, Path]:
    alias, sign, path = text.partition("=")
    if not (alias and sign and path):
        raise argparse.ArgumentTypeError(f"{text!r}: want ALIAS=FILE")
    return alias, Path(path)


def main() -> None:
    """Evaluate as the arguments say. Exits with 2 if the ruleset or the data are unusable."""
    arguments = _arguments()
    events = begin()
    settings = spark_conf(NOWHERE, small=not arguments.large)
    # The JVM takes seconds to start, and pyspark one to import: both at once.
    jvm = Jvm(jvm_command(settings))

    from pyspark import SparkConf

    from local.dq.files import DataError
    from local.dq.on_files import OnFiles
    from local.dq.rules import RulesetError

    conf = SparkConf(loadDefaults=False).setAppName("pipeline dq").setAll(list(settings.items()))
    code = 0
    try:
        OnFiles(arguments, events).run(jvm, conf)
    except RulesetError as error:
        events.tell(error=f"{arguments.rules}: {error}")
        code = UNUSABLE
    except DataError as error:
        events.tell(error=str(error))
        code = UNUSABLE
    # The JVM ends with this process; there is nothing left to wait for.
    os._exit(code)


if __name__ == "__main__":
    main()
