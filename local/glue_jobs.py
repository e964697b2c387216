"""Glue job runs: each runs the job's own script on real Spark, in a process of its own.

https://docs.aws.amazon.com/glue/latest/webapi/API_JobRun.html
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from botocore.exceptions import ClientError
from ministack.services import glue as store

from local.cloud import ApiError, Cloud
from local.glue_catalog import checked
from local.glue_crawlers import put_log
from local.spark import RUNTIME, job_environment, jvm_command, spark_conf

log = logging.getLogger("local.jobs")

RUNNING = ("STARTING", "RUNNING", "STOPPING")
GLUE_VERSIONS = ("5.0", "5.1")  # Spark 3.5, Python 3.11, Java 17
DEFAULT_TIMEOUT_MINUTES = 480
RUNS_KEPT = 200  # of a job
LOG_SECONDS = 1.0
LONGEST_LINE = 200_000  # CloudWatch Logs takes 256 KB a line
# https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-glue-arguments.html
NOT_IMPLEMENTED = (
    "--additional-python-modules",
    "--datalake-formats",
    "--enable-glue-datacatalog",
    "--extra-files",
    "--extra-jars",
    "--extra-py-files",
)


def install(cloud: Cloud) -> None:
    """Answer the operations on job runs."""
    jobs = JobRuns(cloud)
    cloud.override_glue({name: checked(name, operation) for name, operation in jobs.operations().items()})
    cloud.on_stop(jobs.stop_all)


class JobRuns:
    """All job runs of one cloud, and the processes of those that go on."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._runs: dict[str, dict] = cloud.keep("glue-job-runs", {})
        self._processes: dict[str, JobProcess] = {}
        for run in self._runs.values():
            if run["JobRunState"] in RUNNING:
                _end(run, "FAILED", "The local cloud ended while the job ran")

    def operations(self) -> dict[str, Callable[[dict], dict]]:
        """Glue operations by name."""
        return {
            "StartJobRun": self.start,
            "GetJobRun": self.get,
            "GetJobRuns": self.get_all,
            "BatchStopJobRun": self.stop,
        }

    def start(self, request: dict) -> dict:
        """Start a run of a job; it goes on in the background."""
        job = _job(request["JobName"])
        arguments = {
            **(job.get("DefaultArguments") or {}),
            **(request.get("Arguments") or {}),
            **(job.get("NonOverridableArguments") or {}),
        }
        _check(job, arguments)
        self._check_concurrency(job)
        run = _new_run(job, request, arguments)
        self._runs[run["Id"]] = run
        self._forget_old(job["Name"])
        process = JobProcess(self._cloud, job, run, arguments)
        self._processes[run["Id"]] = process
        self._cloud.background(lambda: self._execute(process))
        return {"JobRunId": run["Id"]}

    def _check_concurrency(self, job: dict) -> None:
        most = (job.get("ExecutionProperty") or {}).get("MaxConcurrentRuns", 1)
        active = [run for run in self._of(job["Name"]) if run["JobRunState"] in RUNNING]
        if len(active) >= most:
            raise ApiError("ConcurrentRunsExceededException", f"Concurrent runs exceeded for {job['Name']}")

    def _execute(self, process: JobProcess) -> None:
        try:
            process.execute()
        finally:
            del self._processes[process.run["Id"]]

    def _of(self, job: str) -> list[dict]:
        """The runs of a job, newest first."""
        return [run for run in reversed(list(self._runs.values())) if run["JobName"] == job]

    def _forget_old(self, job: str) -> None:
        for run in self._of(job)[RUNS_KEPT:]:
            del self._runs[run["Id"]]

    def get(self, request: dict) -> dict:
        """One run."""
        return {"JobRun": _shown(self._run(request["JobName"], request["RunId"]))}

    def get_all(self, request: dict) -> dict:
        """The runs of a job, newest first."""
        _job(request["JobName"])
        start = int(request.get("NextToken") or 0)
        end = start + int(request.get("MaxResults") or RUNS_KEPT)
        runs = self._of(request["JobName"])
        more = {"NextToken": str(end)} if end < len(runs) else {}
        return {"JobRuns": [_shown(run) for run in runs[start:end]], **more}

    def stop(self, request: dict) -> dict:
        """Stop runs; they are STOPPING until their processes have ended."""
        stopped, errors = [], []
        for run_id in request["JobRunIds"]:
            item = {"JobName": request["JobName"], "JobRunId": run_id}
            try:
                run = self._run(request["JobName"], run_id)
                process = self._processes.get(run_id)
                if process is None or run["JobRunState"] not in RUNNING:
                    raise ApiError("InvalidInputException", f"Job run {run_id} is {run['JobRunState']}")
                process.stop("STOPPED", "")
                stopped.append(item)
            except ApiError as error:
                errors.append({**item, "ErrorDetail": {"ErrorCode": error.code, "ErrorMessage": error.message}})
        return {"SuccessfulSubmissions": stopped, "Errors": errors}

    def _run(self, job: str, run_id: str) -> dict:
        run = self._runs.get(run_id)
        if run is None or run["JobName"] != job:
            raise ApiError("EntityNotFoundException", f"Job run {run_id} of job {job} not found")
        return run

    def stop_all(self) -> None:
        """End all processes, and wait until they have."""
        processes = list(self._processes.values())
        for process in processes:
            process.stop("FAILED", "The local cloud was stopped while the job ran")
        for process in processes:
            process.ended.wait(timeout=20)


class JobProcess:
    """The process of one run."""

    def __init__(self, cloud: Cloud, job: dict, run: dict, arguments: dict[str, str]) -> None:
        self.run = run
        self.ended = threading.Event()
        self._cloud = cloud
        self._job = job
        self._arguments = arguments
        self._folder = cloud.state_dir / "glue-jobs" / run["Id"]
        self._popen: subprocess.Popen | None = None
        self._stopped: tuple[str, str] | None = None
        self._lock = threading.Lock()

    def execute(self) -> None:
        """Run the script to its end, and write the outcome into the run."""
        try:
            script = self._fetch_script()
            state, message = self._run_script(script)
        except LaunchError as error:
            state, message = "FAILED", str(error)
        except Exception as error:
            log.exception("job run %s", self.run["Id"])
            state, message = "FAILED", f"LAUNCH ERROR | {error!r}"
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)
        _end(self.run, *(self._stopped or (state, message)))
        self.ended.set()

    def stop(self, state: str, message: str) -> None:
        """End the process; the run ends in that state."""
        with self._lock:
            self._stopped = (state, message)
            if self.run["JobRunState"] in RUNNING:
                self.run["JobRunState"] = "STOPPING"
            self._kill()

    def _kill(self) -> None:
        if self._popen is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._popen.pid, signal.SIGKILL)

    def _fetch_script(self) -> Path:
        """Download the script into the run's own folder: scripts of different jobs may share a name."""
        location = self._job["Command"]["ScriptLocation"]
        where = urlsplit(location)
        self._folder.mkdir(parents=True)
        script = self._folder / (Path(where.path).name or "script.py")
        try:
            answer = self._cloud.client("s3").get_object(Bucket=where.netloc, Key=where.path.lstrip("/"))
        except ClientError as error:
            raise LaunchError(f"LAUNCH ERROR | File {location}: {error.response['Error']['Message']}") from error
        script.write_bytes(answer["Body"].read())
        return script

    def _run_script(self, script: Path) -> tuple[str, str]:
        """The state and the error message that the script's process ends with."""
        timeout_seconds = self.run["Timeout"] * 60
        with self._lock:
            if self._stopped:
                return self._stopped
            self._popen = self._start(script)
            self.run["JobRunState"] = "RUNNING"
        pumps = [self._pump(self._popen.stdout, "output"), self._pump(self._popen.stderr, "error")]
        try:
            code = self._popen.wait(timeout=timeout_seconds)
        except subprocess.TimeoutExpired:
            self._kill()
            self._popen.wait()
            code = None
        for pump in pumps:
            pump.join(timeout=10)
        self._kill()  # whatever the script has left behind
        if code is None:
            return "TIMEOUT", f"The job ran longer than its timeout of {self.run['Timeout']} minutes"
        return ("SUCCEEDED", "") if code == 0 else ("FAILED", self._error(code))

    def _start(self, script: Path) -> subprocess.Popen:
        launch = self._folder / "launch.json"
        launch.write_text(json.dumps(jvm_command(self._conf())))
        command = [sys.executable, str(RUNTIME / "run_job.py"), str(launch), str(script)]
        return subprocess.Popen(
            [*command, *_command_line(self._arguments, self.run)],
            cwd=self._folder,
            env=job_environment(self._cloud) | {"TMPDIR": str(self._folder), "SPARK_LOCAL_DIRS": str(self._folder)},
            stdin=subprocess.PIPE,  # never written to: its end tells the process that this one is gone
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

    def _conf(self) -> dict[str, str]:
        """The Spark settings: ours, and what the job gives with `--conf`."""
        conf = spark_conf(self._cloud.url)
        for setting in self._arguments.get("--conf", "").split("--conf"):
            name, found, value = setting.strip().partition("=")
            if found:
                conf[name] = value
        return conf

    def _error(self, code: int) -> str:
        """The line of the exception that ended the script; run_job.py leaves it in a file."""
        error = self._folder / "error"
        return error.read_text() if error.exists() else f"Command failed with exit code {code}"

    def _pump(self, stream: IO[bytes] | None, kind: str) -> threading.Thread:
        """Start to copy a stream of the process to CloudWatch Logs."""
        prefix = self._arguments.get("--custom-logGroup-prefix") or "/aws-glue/jobs"
        stream_prefix = self._arguments.get("--custom-logStream-prefix")
        name = f"{stream_prefix}-{self.run['Id']}" if stream_prefix else self.run["Id"]
        assert stream is not None
        pump = LogPump(self._cloud, f"{prefix}/{kind}", name, stream)
        pump.start()
        return pump


class LogPump(threading.Thread):
    """Copies the lines of a stream to CloudWatch Logs, about every second."""

    def __init__(self, cloud: Cloud, group: str, name: str, stream: IO[bytes]) -> None:
        super().__init__(daemon=True, name=f"log {group}")
        self._cloud = cloud
        self._group = group
        self._name_of_stream = name
        self._stream = stream
        self._lines: list[tuple[int, str]] = []
        self._lock = threading.Lock()
        self._end = threading.Event()

    def run(self) -> None:
        """Read to the end of the stream."""
        writer = threading.Thread(target=self._write, daemon=True)
        writer.start()
        for line in self._stream:
            text = line.decode("utf-8", errors="replace").rstrip()
            if text:
                with self._lock:
                    self._lines.append((round(time.time() * 1000), text[:LONGEST_LINE]))
        self._end.set()
        writer.join()

    def _write(self) -> None:
        while not self._end.wait(LOG_SECONDS):
            self._flush()
        self._flush()

    def _flush(self) -> None:
        with self._lock:
            lines, self._lines = self._lines, []
        if not lines:
            return
        try:
            put_log(self._cloud, self._group, self._name_of_stream, lines)
        except Exception:
            log.exception("%d lines of %s are lost", len(lines), self._group)


class LaunchError(Exception):
    """The script could not be started."""


def _job(name: str) -> dict:
    job = store._jobs.get(name)
    if job is None:
        raise ApiError("EntityNotFoundException", f"Failed to start job run due to missing metadata: job {name}")
    return job


def _check(job: dict, arguments: dict[str, str]) -> None:
    """Refuse what would run otherwise than on AWS."""
    command = (job.get("Command") or {}).get("Name")
    if command != "glueetl":
        raise ApiError("InvalidInputException", f"the local cloud runs jobs of command glueetl, not {command!r}")
    version = job.get("GlueVersion")
    if version not in GLUE_VERSIONS:
        known = " and ".join(GLUE_VERSIONS)
        raise ApiError("InvalidInputException", f"the local cloud runs Glue {known}, not {version}")
    if job.get("MaxRetries"):
        raise ApiError("InvalidInputException", "the local cloud does not retry job runs: MaxRetries must be 0")
    if unknown := sorted(set(arguments).intersection(NOT_IMPLEMENTED)):
        raise ApiError("InvalidInputException", f"the local cloud does not implement {', '.join(unknown)}")


def _new_run(job: dict, request: dict, arguments: dict[str, str]) -> dict:
    now = round(time.time(), 3)
    sizes = {name: request.get(name) or job.get(name) for name in ("WorkerType", "NumberOfWorkers", "MaxCapacity")}
    return {
        "Id": f"jr_{uuid.uuid4().hex}{uuid.uuid4().hex}",
        "Attempt": 0,
        "JobName": job["Name"],
        "JobMode": job.get("JobMode") or "SCRIPT",
        "StartedOn": now,
        "LastModifiedOn": now,
        "JobRunState": "STARTING",
        "Arguments": request.get("Arguments") or {},
        "PredecessorRuns": [],
        "ExecutionTime": 0,
        "Timeout": request.get("Timeout") or job.get("Timeout") or DEFAULT_TIMEOUT_MINUTES,
        "LogGroupName": arguments.get("--custom-logGroup-prefix") or "/aws-glue/jobs",
        "GlueVersion": job["GlueVersion"],
        "ExecutionClass": request.get("ExecutionClass") or job.get("ExecutionClass") or "STANDARD",
        **{name: value for name, value in sizes.items() if value},
    }


def _command_line(arguments: dict[str, str], run: dict) -> list[str]:
    """The script's arguments as Glue gives them: all of the job's, and what it runs as."""
    known = {**arguments, "--JOB_NAME": run["JobName"], "--JOB_RUN_ID": run["Id"]}
    return [part for name, value in known.items() for part in ((name, value) if value else (name,))]


def _end(run: dict, state: str, message: str) -> None:
    now = round(time.time(), 3)
    run.update(LastModifiedOn=now, CompletedOn=now, ExecutionTime=round(now - run["StartedOn"]))
    if message:
        run["ErrorMessage"] = message
    run["JobRunState"] = state  # last: who waits for the end then reads all of it


def _shown(run: dict) -> dict:
    return dict(run)
