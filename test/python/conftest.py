"""Fixtures that all Python tests share."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from running_cloud import RunningCloud


@pytest.fixture(scope="session", autouse=True)
def _no_real_aws() -> None:
    """Keep tests away from any AWS account of the machine they run on."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        os.environ.pop(name, None)
    os.environ.update(AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test", AWS_REGION="us-east-1")


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCloud]:
    """A local cloud without any stack, shared by all tests."""
    running = RunningCloud(tmp_path_factory.mktemp("cloud")).start()
    yield running
    assert running.stop() == 0


@pytest.fixture(scope="session")
def spark(cloud: RunningCloud) -> Iterator[Any]:
    """One Spark session for all tests, with the jobs' settings and S3 at the shared cloud.

    `awsglue` and `catalog` can be imported while it lives; their AWS calls go to the cloud.
    """
    from pyspark import SparkContext
    from pyspark.sql import SparkSession

    from local.runtime.jvm import Jvm
    from local.spark import RUNTIME, jvm_command, spark_conf

    os.environ.update(AWS_ENDPOINT_URL=cloud.url, AWS_DEFAULT_REGION="us-east-1", SPARK_LOCAL_IP="127.0.0.1", TZ="UTC")
    os.environ["PYSPARK_PYTHON"] = sys.executable
    sys.path.insert(0, str(RUNTIME))
    # Spark's Python workers inherit it from the JVM.
    os.environ["PYTHONPATH"] = str(RUNTIME)
    jvm = Jvm(jvm_command(spark_conf(cloud.url)))
    jvm.connect()
    os.environ.pop("PYTHONPATH")
    session = SparkSession(SparkContext())
    session.sparkContext.setLogLevel("ERROR")
    yield session
    session.stop()  # the JVM ends with this process
    os.environ.pop("AWS_ENDPOINT_URL")
