"""What the review runs on: the grammar's JVM, which becomes Spark's, and a local cloud of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from local.runtime.jvm import Jvm
from local.spark import NOWHERE, ROOT, RUNTIME, jvm_command, spark_conf

START_SECONDS = 60


def grammar() -> Any:
    """A JVM that parses rules; `spark_session` then takes the same one."""
    os.environ.update(SPARK_LOCAL_IP="127.0.0.1", TZ="UTC", PYSPARK_PYTHON=sys.executable)
    # The local cloud gets a port before Spark is asked for S3: any will do until then.
    Jvm(jvm_command(spark_conf(NOWHERE)), quiet=True).connect()
    from pyspark import SparkContext

    SparkContext._ensure_initialized()
    return SparkContext._gateway.jvm  # type: ignore[union-attr]


def spark_session(url: str) -> Any:
    """A Spark session with the jobs' settings and S3 at `url`; `awsglue` can be imported from then on."""
    from pyspark import SparkConf, SparkContext
    from pyspark.sql import SparkSession

    conf = SparkConf(loadDefaults=False).setAppName("review of rules").setAll(list(spark_conf(url).items()))
    session = SparkSession(SparkContext(conf=conf))
    session.sparkContext.setLogLevel("ERROR")
    sys.path.insert(0, str(RUNTIME))
    return session


@contextmanager
def local_cloud(work: Path) -> Iterator[str]:
    """A local cloud of its own; gives its URL, and has AWS's clients of this process speak to it."""
    state = work / "cloud"
    process = subprocess.Popen(
        [sys.executable, "-m", "local", "--state", str(state)],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        url = _endpoint(process, state / "endpoint.json")
        for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
            os.environ.pop(name, None)
        os.environ.update(AWS_ENDPOINT_URL=url, AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test")
        os.environ.update(AWS_REGION="us-east-1", AWS_DEFAULT_REGION="us-east-1")
        yield url
    finally:
        process.terminate()
        process.wait(START_SECONDS)


def _endpoint(process: subprocess.Popen[bytes], path: Path) -> str:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(
                f"the local cloud ended with exit code {process.returncode}; see {path.parent}/local.log"
            )
        if path.exists():
            return json.loads(path.read_text(encoding="utf-8"))["url"]
        time.sleep(0.05)
    raise RuntimeError(f"the local cloud was not ready within {START_SECONDS} s")
