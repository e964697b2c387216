"""Spark settings of the local cloud: the one place that says how Glue jobs, the data quality gate and tests run Spark.

The version is that of Glue 5.1 (Spark 3.5.6, Java 17); what is set here is what Glue sets, what S3 access to the local
endpoint needs, and what makes a small run start fast.
"""

import hashlib
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
RUNTIME = Path(__file__).resolve().parent / "runtime"

# A job on real data wants the optimizing compiler and the parallel collector; a run of seconds never earns them back.
SMALL_JVM = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
COMMON_JVM = "-Duser.timezone=UTC -Dlog4j2.disable.jmx=true"
DRIVER_MEMORY = "2g"


def jars() -> list[Path]:
    """The jars beside pyspark's own (Deequ, S3 access), in a stable order: a class data archive depends on it."""
    return sorted((ROOT / ".jars").glob("*.jar"))


def class_archive() -> Path:
    """Where the class data archive for this JVM and these jars lies; its name changes with either."""
    java = os.environ.get("JAVA_HOME", "") + os.environ.get("PATH", "")
    seen = "\n".join([java, sys.version, *(f"{jar.name} {jar.stat().st_size}" for jar in jars())])
    return ROOT / ".jars" / f"spark-{hashlib.sha256(seen.encode()).hexdigest()[:12]}.jsa"


def java_options(small: bool) -> str:
    """Options of the driver's JVM. `small` is for runs of seconds to a few minutes."""
    options = [COMMON_JVM]
    if small:
        options.append(SMALL_JVM)
        if class_archive().exists():
            # -Xshare:auto (the default) goes on without an archive that does not fit; the log line about it is noise.
            options.append(f"-XX:SharedArchiveFile={class_archive()} -Xlog:disable -Xlog:all=error:stderr")
    return " ".join(options)


def spark_conf(endpoint: str, small: bool = True) -> dict[str, str]:
    """Spark settings for S3 at `endpoint` (a URL). `small=False` is for data of millions of rows."""
    return _engine(small) | _glue() | _s3(endpoint)


def _engine(small: bool) -> dict[str, str]:
    return {
        "spark.master": "local[2]",
        "spark.driver.memory": DRIVER_MEMORY if small else "4g",
        "spark.driver.extraJavaOptions": java_options(small),
        # On the class path from the start, not spark.jars: no copies, and the class data archive covers them.
        "spark.driver.extraClassPath": ":".join(str(jar) for jar in jars()),
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.shuffle.partitions": "4" if small else "16",
        "spark.sql.adaptive.enabled": "true",
        "spark.sql.catalogImplementation": "in-memory",
        "spark.sql.warehouse.dir": str(Path(tempfile.gettempdir()) / "spark-warehouse"),
    }


def _glue() -> dict[str, str]:
    """What a Glue 5.1 job finds set."""
    return {
        "spark.sql.ansi.enabled": "false",
        "spark.sql.session.timeZone": "UTC",
        # The default of Spark and Glue; Redshift's COPY takes it like INT64.
        "spark.sql.parquet.outputTimestampType": "INT96",
        "spark.hadoop.mapreduce.fileoutputcommitter.marksuccessfuljobs": "false",
        # Glue commits without renames (EMRFS committer); algorithm 2 at least renames each file once, not twice.
        "spark.hadoop.mapreduce.fileoutputcommitter.algorithm.version": "2",
    }


def _s3(endpoint: str) -> dict[str, str]:
    s3a = "spark.hadoop.fs.s3a."
    return {
        "spark.hadoop.fs.s3.impl": "org.apache.hadoop.fs.s3a.S3AFileSystem",
        s3a + "endpoint": endpoint,
        s3a + "endpoint.region": "us-east-1",
        s3a + "path.style.access": "true",
        s3a + "connection.ssl.enabled": "false",
        s3a + "aws.credentials.provider": "org.apache.hadoop.fs.s3a.SimpleAWSCredentialsProvider",
        s3a + "access.key": "test",
        s3a + "secret.key": "test",
        s3a + "fast.upload": "true",
        s3a + "fast.upload.buffer": "bytebuffer",
        s3a + "bucket.probe": "0",
        # The endpoint is on this machine: a fault is real, and minutes of retries would only hide it.
        s3a + "attempts.maximum": "3",
        s3a + "retry.limit": "3",
    }


def job_environment(cloud: Any) -> dict[str, str]:
    """Environment of a process that runs Glue code: our awsglue first on the path, AWS calls to the local cloud."""
    return _without_aws(os.environ) | {
        "PYTHONPATH": str(RUNTIME),
        "PYSPARK_PYTHON": sys.executable,
        "PYSPARK_DRIVER_PYTHON": sys.executable,
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_VERSION": "3.5",
        "AWS_ENDPOINT_URL": cloud.url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "TZ": "UTC",
    }


def _without_aws(environment: Mapping[str, str]) -> dict[str, str]:
    """A person's own AWS profile and endpoints must not leak into local runs, nor settings of another Spark."""
    foreign = ("AWS_", "SPARK_", "PYSPARK_")
    return {name: value for name, value in environment.items() if not name.startswith(foreign)}


def write_conf_dir(folder: Path, conf: Mapping[str, str]) -> Path:
    """Write spark-defaults.conf and log settings into `folder`, for SPARK_CONF_DIR; a script then needs no settings."""
    folder.mkdir(parents=True, exist_ok=True)
    defaults = "".join(f"{name} {value}\n" for name, value in sorted(conf.items()))
    (folder / "spark-defaults.conf").write_text(defaults)
    (folder / "log4j2.properties").write_text(LOG_SETTINGS)
    return folder


LOG_SETTINGS = """\
rootLogger.level = warn
rootLogger.appenderRef.stderr.ref = stderr
appender.console.type = Console
appender.console.name = stderr
appender.console.target = SYSTEM_ERR
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{yyyy-MM-dd HH:mm:ss} %p %c{1}: %m%n
logger.native.name = org.apache.hadoop.util.NativeCodeLoader
logger.native.level = error
logger.metrics.name = org.apache.hadoop.metrics2
logger.metrics.level = error
logger.plan.name = org.apache.spark.sql.catalyst.util.SparkStringUtils
logger.plan.level = error
"""
