"""Start Spark's JVM without spark-submit's shell scripts and launcher, and let pyspark find it.

That saves a second JVM, and a class data archive can be used: one refuses the configuration folder that the scripts put
on the class path. https://docs.oracle.com/en/java/javase/17/vm/class-data-sharing.html
"""

import os
import subprocess
import tempfile
import threading
import time
from pathlib import Path

START_SECONDS = 120


class Jvm:
    """A JVM that starts while Python goes on. It ends when this process ends, or at `close`.

    `quiet` keeps to itself what it writes to stderr, unless it does not start: libraries talk there of themselves.
    """

    def __init__(self, command: list[str], quiet: bool = False) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="spark-gateway-")
        self._answer = Path(self._folder.name) / "connection"
        environment = {**os.environ, "_PYSPARK_DRIVER_CONN_INFO_PATH": str(self._answer)}
        # The gateway ends when its stdin does, so not even a killed Python leaves a JVM behind.
        # Open as long as the JVM lives.
        self._said = tempfile.TemporaryFile() if quiet else None  # noqa: SIM115
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=self._said, env=environment)

    def connect(self) -> None:
        """Wait until the JVM listens, and tell pyspark where. Raises RuntimeError if it ends instead."""
        deadline = time.monotonic() + START_SECONDS
        while not self._answer.exists():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"Spark's JVM did not start (exit code {self._process.poll()}){self._last_words()}")
            threading.Event().wait(0.02)
        data = self._answer.read_bytes()
        port, length = int.from_bytes(data[:4], "big"), int.from_bytes(data[4:8], "big")
        os.environ["PYSPARK_GATEWAY_PORT"] = str(port)
        os.environ["PYSPARK_GATEWAY_SECRET"] = data[8 : 8 + length].decode()
        self._folder.cleanup()

    def _last_words(self) -> str:
        if self._said is None:
            return ""
        self._said.seek(0)
        return f":\n{self._said.read().decode(errors='replace').strip()}"

    def close(self) -> int:
        """End the JVM and return its exit code."""
        for name in ("PYSPARK_GATEWAY_PORT", "PYSPARK_GATEWAY_SECRET"):
            os.environ.pop(name, None)
        if self._process.stdin is not None:
            self._process.stdin.close()
        return self._process.wait()
