"""Run a Glue job's script: `run_job.py LAUNCH SCRIPT [arguments of the script]`.

LAUNCH is a JSON file with the command that starts Spark's JVM. It starts while Python loads pyspark, and the script's
own `SparkContext()` finds it. An exception that ends the script is told in one line in the file `error` beside LAUNCH.
The process ends when its stdin does: then whoever started it is gone.
"""

import json
import os
import runpy
import sys
import threading
import traceback
from pathlib import Path

from jvm import Jvm

LONGEST_ERROR = 2000


def main() -> None:
    """Start the JVM and run the script as `__main__`."""
    launch = Path(sys.argv[1])
    threading.Thread(target=_end_with_starter, daemon=True).start()
    jvm = Jvm(json.loads(launch.read_text()))
    import pyspark.sql  # noqa: F401 - loaded while the JVM starts

    jvm.connect()
    sys.argv = sys.argv[2:]
    try:
        runpy.run_path(sys.argv[0], run_name="__main__")
    except SystemExit as end:
        if end.code not in (None, 0):
            (launch.parent / "error").write_text(f"SystemExit: {end.code}")
        raise
    except BaseException as error:
        (launch.parent / "error").write_text(describe(error))
        traceback.print_exc()
        sys.exit(1)


def _end_with_starter() -> None:
    while os.read(0, 1024):
        pass
    os._exit(1)


def describe(error: BaseException) -> str:
    """An exception as Glue tells it: its name and what it says, for Java's the innermost cause."""
    java = getattr(error, "java_exception", None)
    if java is None:
        return f"{type(error).__name__}: {error}"[:LONGEST_ERROR]
    while java.getCause() is not None:
        java = java.getCause()
    return f"{java.getClass().getSimpleName()}: {java.getMessage()}"[:LONGEST_ERROR]


if __name__ == "__main__":
    main()
