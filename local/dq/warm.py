"""The local cloud's end of the data quality process: starts it, asks it, starts it again when it died."""

from __future__ import annotations

import itertools
import json
import logging
import subprocess
import sys
import threading
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from pathlib import Path
from typing import IO, Any

from local.cloud import Cloud
from local.dq.rules import RulesetError
from local.spark import ROOT, job_environment

log = logging.getLogger(__name__)

PARSE_SECONDS = 120
LOG_TAIL_LINES = 5


class EvaluatorError(RuntimeError):
    """An evaluation that failed."""


class ProcessEndedError(EvaluatorError):
    """The process ended before it answered."""


class WarmSpark:
    """The process of server.py. Evaluations are done one after the other; all methods may be called by any thread."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._log_path = cloud.state_dir / "data-quality.log"
        self._starting = threading.Lock()
        self._turn = threading.Lock()
        self._ids = itertools.count(1)
        self._running: _Process | None = None
        self._stopped = False

    def start(self) -> None:
        """Start the process if it does not run; returns at once, while it is still warming up."""
        self._process()

    def parse(self, ruleset: str) -> dict[str, Any]:
        """The texts of a ruleset's rules, and of those that are dynamic. Raises RulesetError, EvaluatorError."""
        request = {"do": "parse", "ruleset": ruleset}
        try:
            return self._ask(request, PARSE_SECONDS)
        except ProcessEndedError:
            # A run that was cancelled or took too long has ended the process under this request.
            return self._ask(request, PARSE_SECONDS)

    def evaluate(self, request: dict[str, Any], seconds: float, started: Any) -> list[dict[str, Any]]:
        """Evaluate rulesets on a table (see server.py), waiting for a turn first.

        `started` is called when the turn has come; the `seconds` count from then. Raises TimeoutError after them,
        EvaluatorError and RulesetError.
        """
        with self._turn:
            if not started():
                return []
            return self._ask({"do": "evaluate", **request}, seconds)["results"]

    def interrupt(self) -> None:
        """End the process, and with it what it is doing; the next request starts a new one."""
        if self._running is not None:
            self._running.kill()

    def stop(self) -> None:
        """End the process for good."""
        self._stopped = True
        self.interrupt()

    def _ask(self, request: dict[str, Any], seconds: float) -> dict[str, Any]:
        answer: Future[dict[str, Any]] = Future()
        self._process().send({"id": next(self._ids), **request}, answer)
        try:
            found = answer.result(timeout=seconds)
        except FutureTimeout:
            self.interrupt()
            raise TimeoutError(f"not done after {seconds:.0f} s") from None
        except ProcessEndedError:
            if self._stopped:
                raise EvaluatorError("the local cloud stopped while the run was going on") from None
            raise
        if "error" not in found:
            return found
        raise (RulesetError if found["kind"] == "RulesetError" else EvaluatorError)(found["error"])

    def _process(self) -> _Process:
        with self._starting:
            if self._stopped:
                raise EvaluatorError("the local cloud is stopping")
            if self._running is None or self._running.ended():
                self._running = _Process(self._cloud, self._log_path)
            return self._running


class _Process:
    """One run of server.py, from its start to its end."""

    def __init__(self, cloud: Cloud, log_path: Path) -> None:
        self._log_path = log_path
        self._waiting: dict[int, Future[dict[str, Any]]] = {}
        self._lock = threading.Lock()
        with log_path.open("ab") as stderr:
            self._popen = subprocess.Popen(
                [sys.executable, "-m", "local.dq.server", "--endpoint", cloud.url],
                cwd=ROOT,
                env=job_environment(cloud),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
            )
        threading.Thread(target=self._read, name="data quality answers", daemon=True).start()

    def ended(self) -> bool:
        return self._popen.poll() is not None

    def send(self, request: dict[str, Any], answer: Future[dict[str, Any]]) -> None:
        with self._lock:
            if self.ended():
                answer.set_exception(ProcessEndedError(self._end_message()))
                return
            self._waiting[request["id"]] = answer
            try:
                stdin: IO[str] = self._popen.stdin  # type: ignore[assignment]
                stdin.write(json.dumps(request) + "\n")
                stdin.flush()
            except OSError:
                log.warning("the data quality process does not read any more")

    def kill(self) -> None:
        self._popen.kill()
        self._popen.wait(timeout=30)

    def _read(self) -> None:
        assert self._popen.stdout is not None
        for line in self._popen.stdout:
            answer = json.loads(line)
            with self._lock:
                waiting = self._waiting.pop(answer.pop("id"), None)
            if waiting is not None:
                waiting.set_result(answer)
        self._popen.wait()
        with self._lock:
            abandoned, self._waiting = list(self._waiting.values()), {}
        for waiting in abandoned:
            waiting.set_exception(ProcessEndedError(self._end_message()))

    def _end_message(self) -> str:
        tail = self._log_path.read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:]
        return (
            f"the data quality process ended (exit code {self._popen.poll()}); the end of {self._log_path.name}:\n"
            + "\n".join(tail)
        )
