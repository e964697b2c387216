"""Spark settings of the local cloud: the one place that says how Glue jobs, the data quality gate and tests run Spark.

The version is that of Glue 5.1 (Spark 3.5.6, Java 17); what is set here is what Glue sets, what S3 access to the local
endpoint needs, and what makes a small run start fast.
"""

import hashlib
import importlib.util
import os
import shlex
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from local.runtime.jvm import Jvm

ROOT = Path(__file__).resolve().parent.parent
RUNTIME = Path(__file__).resolve().parent / "runtime"
LOG_SETTINGS = RUNTIME / "log4j2.properties"
# For Spark that needs no S3: the discard port answers nobody.
NOWHERE = "http://127.0.0.1:9"
# Rules of each kind that Deequ knows, for the sake of its classes.
EXERCISE = ROOT / "local" / "dq" / "exercise.dqdl"

# A job on real data wants the optimizing compiler and the parallel collector; a run of seconds never earns them back.
SMALL_JVM = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
# Java 17 hides what Spark reaches for: these are the options of Spark's own launcher.
# https://github.com/apache/spark/blob/v3.5.6/launcher/src/main/java/org/apache/spark/launcher/JavaModuleOptions.java
OPENED = (
    "java.base/java.lang",
    "java.base/java.lang.invoke",
    "java.base/java.lang.reflect",
    "java.base/java.io",
    "java.base/java.net",
    "java.base/java.nio",
    "java.base/java.util",
    "java.base/java.util.concurrent",
    "java.base/java.util.concurrent.atomic",
    "java.base/jdk.internal.ref",
    "java.base/sun.nio.ch",
    "java.base/sun.nio.cs",
    "java.base/sun.security.action",
    "java.base/sun.util.calendar",
    "java.security.jgss/sun.security.krb5",
)


def jars() -> list[Path]:
    """The jars beside pyspark's own (Deequ, S3 access), in a stable order: a class data archive depends on it."""
    return sorted((ROOT / ".jars").glob("*.jar"))


def class_path() -> str:
    """pyspark's jars and ours."""
    spark = importlib.util.find_spec("pyspark")
    assert spark is not None and spark.submodule_search_locations
    own = sorted(Path(spark.submodule_search_locations[0], "jars").glob("*.jar"))
    return ":".join(str(jar) for jar in [*jars(), *own])


def class_archive() -> Path:
    """Where the class data archive for this JVM and these jars lies; its name changes with either."""
    seen = "\n".join([java(), str(Path(java()).resolve()), class_path()])
    return ROOT / ".jars" / f"spark-{hashlib.sha256(seen.encode()).hexdigest()[:12]}.jsa"


def java() -> str:
    """The java that runs Spark: JAVA_HOME's, else the first on the path."""
    home = os.environ.get("JAVA_HOME")
    return str(Path(home, "bin", "java")) if home else shutil.which("java") or "java"


def java_options(small: bool) -> list[str]:
    """Options of the driver's JVM. `small` is for runs of seconds to a few minutes."""
    options = ["-Duser.timezone=UTC", "-Dlog4j2.disable.jmx=true", f"-Dlog4j2.configurationFile={LOG_SETTINGS}"]
    return [*options, *SMALL_JVM] if small else options


def jvm_command(conf: Mapping[str, str], archive: Sequence[str] | None = None) -> list[str]:
    """The command that starts a driver with these settings; see `local/runtime/jvm.py`.

    `archive` are the options on class data: by default an archive is used if there is one.
    """
    if archive is None:
        # The JVM goes on without an archive that does not fit, and says so on stdout.
        archive = [f"-XX:SharedArchiveFile={class_archive()}", "-Xlog:disable", "-Xlog:all=error:stderr"]
        archive = archive if class_archive().exists() else []
    opened = [f"--add-opens={package}=ALL-UNNAMED" for package in OPENED]
    settings = [part for name, value in conf.items() for part in ("--conf", f"{name}={value}")]
    return [
        java(),
        *archive,
        *opened,
        "-XX:+IgnoreUnrecognizedVMOptions",
        "-Djdk.reflect.useDirectMethodHandle=false",
        *shlex.split(conf["spark.driver.extraJavaOptions"]),
        f"-Xmx{conf['spark.driver.memory']}",
        "-cp",
        class_path(),
        "org.apache.spark.deploy.SparkSubmit",
        *settings,
        "pyspark-shell",
    ]


def spark_conf(endpoint: str, small: bool = True) -> dict[str, str]:
    """Spark settings for S3 at `endpoint` (a URL). `small=False` is for data of millions of rows."""
    return _engine(small) | _glue() | _s3(endpoint)


def _engine(small: bool) -> dict[str, str]:
    return {
        "spark.master": "local[2]",
        "spark.driver.memory": "2g" if small else "4g",
        "spark.driver.extraJavaOptions": " ".join(java_options(small)),
        # On the class path from the start, not spark.jars: no copies, and the class data archive covers them.
        "spark.driver.extraClassPath": ":".join(str(jar) for jar in jars()),
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.shuffle.partitions": "2" if small else "16",
        # Planning stage by stage is a tenth of a run of seconds, and so are plans printed for a page that nobody opens.
        "spark.sql.adaptive.enabled": "false" if small else "true",
        "spark.sql.maxPlanStringLength": "200" if small else "10000",
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
    return os.environ | {
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


def make_class_archive() -> None:
    """Write the class data archive: what Spark, S3 access and Deequ load, so that later JVMs need not.

    It takes half a minute and 200 MB, once for a JVM and these jars.
    """
    target = class_archive()
    partial = target.with_suffix(".partial")
    conf = spark_conf(NOWHERE)
    archive = [f"-XX:ArchiveClassesAtExit={partial}", "-Xlog:disable", "-Xlog:all=error:stderr"]
    jvm = Jvm(jvm_command(conf, archive), quiet=True)
    jvm.connect()
    with tempfile.TemporaryDirectory() as folder:
        _exercise(folder)
    jvm.close()
    partial.replace(target)


def _exercise(folder: str) -> None:
    """Do in small what jobs do, for the sake of the classes."""
    from pyspark import SparkContext
    from pyspark.sql import SparkSession
    from pyspark.sql import functions as F

    from local.dq.engine import evaluate

    spark = SparkSession(SparkContext())
    rows = spark.range(100).selectExpr("id", "cast(id % 7 as string) as text", "timestamp_seconds(id) as at")
    for kind in ("csv", "json", "parquet"):
        rows.write.format(kind).save(f"{folder}/{kind}")
        read = spark.read.format(kind).load(f"{folder}/{kind}")
        read.groupBy(read.columns[1]).agg(F.count("*"), F.countDistinct(read.columns[0])).collect()
    text = spark.read.schema("line string").csv(f"{folder}/csv")
    text.select(F.inline(F.array(F.from_csv("line", "a string, b string")))).dropDuplicates().collect()
    rows.join(spark.range(5).hint("shuffle_merge"), "id").collect()
    evaluation = evaluate(rows.select("id", "text"), EXERCISE.read_text(), {"other": rows})
    evaluation.rows.select(F.to_json(F.struct("*"))).collect()
    spark._jvm.java.lang.Class.forName("org.apache.hadoop.fs.s3a.S3AFileSystem")  # type: ignore[union-attr]
    spark.stop()


if __name__ == "__main__":
    make_class_archive()
