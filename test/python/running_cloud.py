"""A local cloud that tests start and stop."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

ROOT = Path(__file__).parents[2]
START_SECONDS = 60


class RunningCloud:
    """A local cloud in a process of its own, on a state folder that may have been used before."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.process: subprocess.Popen | None = None
        self.url = ""
        self._clients: dict[str, Any] = {}

    def start(self) -> RunningCloud:
        """Start the process and wait until it is ready."""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "local", "--state", str(self.state)],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        endpoint = wait_for(self._endpoint, START_SECONDS, "the local cloud to be ready")
        self.url = endpoint["url"]
        self._clients.clear()
        return self

    def _endpoint(self) -> dict | None:
        assert self.process is not None
        if self.process.poll() is not None:
            stderr = self.process.stderr.read().decode() if self.process.stderr else ""
            pytest.fail(f"the local cloud ended with exit code {self.process.returncode}: {stderr}")
        path = self.state / "endpoint.json"
        endpoint = json.loads(path.read_text()) if path.exists() else None
        return endpoint if endpoint and endpoint["pid"] == self.process.pid else None

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End the process with a signal and return its exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(timeout=60)

    def client(self, service: str) -> Any:
        """A boto3 client of this cloud."""
        if service not in self._clients:
            self._clients[service] = boto3.client(
                service,
                endpoint_url=self.url,
                region_name="us-east-1",
                aws_access_key_id="test",
                aws_secret_access_key="test",
                config=Config(
                    retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}, inject_host_prefix=False
                ),
            )
        return self._clients[service]


def wait_for(condition: Any, seconds: float, what: str) -> Any:
    """Poll `condition` until it gives something true, and give that; fail the test after `seconds`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(0.05)
    pytest.fail(f"waited {seconds} s for {what}")
