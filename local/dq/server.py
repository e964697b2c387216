"""The process that keeps a Spark session warm and evaluates rulesets on catalog tables, one after the other.

It reads requests from stdin and writes answers to stdout, both as lines of JSON; warm.py is the other end. Each has an
"id"; "do" is one of
- "parse": {"ruleset"} → {"rules": [text], "dynamic": [text]}; answered as soon as the JVM runs, beside evaluations
- "evaluate": {"table", "sources": {alias: table}, "rulesets": [text], "by_row"} → {"results": [{"rules", "analyzers"}]}
where a table is {"database", "table", "predicate"}. An answer to what failed has "error" and "kind". The process ends
with its stdin.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import queue
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from pyspark import SparkConf, SparkContext, StorageLevel
from pyspark.java_gateway import launch_gateway
from pyspark.sql import DataFrame, SparkSession

from local.dq.engine import evaluate
from local.dq.results import analyzer_results, rule_results
from local.dq.rules import RulesetError, parse
from local.runtime.catalog import read_table
from local.runtime.jvm import Jvm
from local.spark import jvm_command, spark_conf

log = logging.getLogger("local.dq.server")

# It waits most of the time; a gate's table is read once and may spill.
DRIVER_MEMORY = "1g"

WARM_UP = """Rules = [ RowCount > 0, IsComplete "key", IsUnique "key", Completeness "text" > 0.5, ColumnCount > 1,
    ColumnValues "text" in ["a", "b"], ColumnValues "text" matches "[a-z]", ColumnLength "text" < 9,
    ReferentialIntegrity "key" "other.key" >= 0.5 ]"""


class Server:
    """Answers requests; `parse` on the thread that reads them, `evaluate` on one other."""

    def __init__(self, gateway: Any, conf: SparkConf, answers: TextIO) -> None:
        self._gateway = gateway
        self._conf = conf
        self._answers = answers
        self._writing = threading.Lock()
        self._evaluations: queue.Queue[dict[str, Any]] = queue.Queue()
        self._spark: SparkSession | None = None

    def serve(self, requests: TextIO) -> None:
        """Answer until `requests` ends."""
        threading.Thread(target=self._work, name="evaluate", daemon=True).start()
        for line in requests:
            request = json.loads(line)
            if request["do"] == "parse":
                self._answer(request, self._parse)
            else:
                self._evaluations.put(request)

    def _work(self) -> None:
        started = time.monotonic()
        self._spark = SparkSession(SparkContext(gateway=self._gateway, conf=self._conf))
        try:
            _warm_up(self._spark)
        except Exception:
            log.exception("warming up failed; the first evaluation will show why")
        log.info("warm after %.1f s", time.monotonic() - started)
        while True:
            request = self._evaluations.get()
            self._answer(request, self._evaluate)

    def _answer(self, request: dict[str, Any], do: Any) -> None:
        started = time.monotonic()
        try:
            answer = do(request)
        except Exception as error:
            answer = {"error": _explain(error), "kind": type(error).__name__}
            if not isinstance(error, RulesetError):
                log.exception("%s failed", request["do"])
        log.info("%s took %.2f s", request["do"], time.monotonic() - started)
        with self._writing:
            self._answers.write(json.dumps({"id": request["id"], **answer}) + "\n")
            self._answers.flush()

    def _parse(self, request: dict[str, Any]) -> dict[str, Any]:
        ruleset = parse(self._gateway.jvm, request["ruleset"])
        dynamic = [rule.text for rule in ruleset.rules if any(leaf.dynamic for leaf in rule.leaves())]
        return {"rules": [rule.text for rule in ruleset.rules], "dynamic": dynamic}

    def _evaluate(self, request: dict[str, Any]) -> dict[str, Any]:
        assert self._spark is not None
        sources = {alias: self._read(table) for alias, table in request["sources"].items()}
        results = []
        with _kept(self._read(request["table"])) as frame:
            for text in request["rulesets"]:
                evaluation = evaluate(frame, text, sources, request["by_row"])
                results.append({"rules": rule_results(evaluation), "analyzers": analyzer_results(evaluation)})
        return {"results": results}

    def _read(self, table: dict[str, str]) -> DataFrame:
        assert self._spark is not None
        return read_table(self._spark, table["database"], table["table"], table.get("predicate", ""))


@contextmanager
def _kept(frame: DataFrame) -> Iterator[DataFrame]:
    """A frame that is read and parsed once, though rules of different kinds scan it several times."""
    frame.persist(StorageLevel.MEMORY_AND_DISK)
    try:
        yield frame
    finally:
        frame.unpersist()


def _warm_up(spark: SparkSession) -> None:
    """Evaluate a little of each kind, so that the first gate finds classes loaded and code generated."""
    frame = spark.createDataFrame([("1", "a"), ("2", None)], "key string, text string")
    with _kept(frame):
        evaluate(frame, WARM_UP, {"other": frame})


def _explain(error: Exception) -> str:
    java = getattr(error, "java_exception", None)
    text = (java.getMessage() or java.toString()) if java is not None else str(error)
    return text.strip().split("\n\tat ")[0] or type(error).__name__


def main() -> None:
    """Serve on stdin and stdout."""
    parser = argparse.ArgumentParser(description="The local cloud's data quality process.")
    parser.add_argument("--endpoint", required=True, help="URL of the local cloud, for S3 and the Glue catalog")
    arguments = parser.parse_args()
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s [%(name)s] %(message)s"
    )
    logging.getLogger("py4j").setLevel(logging.WARNING)
    # The JVM and its libraries print to stdout as they like; the answers need it for themselves.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    conf = SparkConf(loadDefaults=False).setAppName("data quality")
    conf.setAll(list((spark_conf(arguments.endpoint) | {"spark.driver.memory": DRIVER_MEMORY}).items()))
    Jvm(jvm_command(dict(conf.getAll()))).connect()
    Server(launch_gateway(conf), conf, answers).serve(sys.stdin)
    # The JVM ends with this process; evaluations still going on are nobody's any more.
    os._exit(0)


if __name__ == "__main__":
    main()
