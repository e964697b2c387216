"""A copy of the project, deployed to a local cloud, for tests that edit its files and its jobs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from canvas.project import Project
from running_cloud import ROOT, RunningCloud, wait_for

COPIED = ("cdk.json", "datasets.json", "go.mod", "dqdl-rules", "glue-scripts", "sql", "stacks")
# What `make setup` installs and synthesis runs: the grammar that the rules are parsed by.
LINKED = (".venv", ".jars", "local")


class Checkout:
    """A checkout of its own, with the tools of this one."""

    def __init__(self, folder: Path, cloud: RunningCloud) -> None:
        self.root = folder / "checkout"
        self.cloud = cloud
        self.glue, self.s3 = cloud.client("glue"), cloud.client("s3")
        self.binaries = folder
        for name, package in (("app", "."), ("pipeline", "./cmd/pipeline")):
            subprocess.run(["go", "build", "-o", str(folder / name), package], cwd=ROOT, check=True)
        self.root.mkdir()
        for name in COPIED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, self.root / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, self.root / name)
        for name in LINKED:
            (self.root / name).symlink_to(ROOT / name)
        self.environment = {
            **os.environ,
            "AWS_ENDPOINT_URL": cloud.url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "us-east-1",
            "CDK_DISABLE_CLI_TELEMETRY": "1",
        }
        self.git("init", "--quiet")
        (self.root / ".git" / "info" / "exclude").write_text("\n".join((".local", *LINKED)))
        self.commit()

    def git(self, *arguments: str) -> str:
        """Run git and give what it says."""
        identity = ["-c", "user.name=test", "-c", "user.email=test@example.com"]
        done = subprocess.run(["git", *identity, *arguments], cwd=self.root, text=True, capture_output=True, check=True)
        return done.stdout

    def commit(self) -> None:
        """Commit everything."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "State of a test")

    def cdk(self, *arguments: str, code: int = 0) -> str:
        """Run the genuine CDK command line against the cloud, on the app as it was built; gives its output."""
        command = [str(ROOT / "node_modules/.bin/cdk"), *arguments, "--app", str(self.binaries / "app")]
        done = subprocess.run(
            [*command, "--output", str(self.binaries / "cdk.out")],
            cwd=self.root,
            env=self.environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        assert done.returncode == code, f"{' '.join(arguments)}\n{done.stdout}"
        return done.stdout

    def deploy(self, *arguments: str, code: int = 0) -> str:
        """Deploy the jobs, and first what they need if it is not there."""
        return self.cdk("deploy", "movie-pipeline-dev-jobs", "--require-approval", "never", *arguments, code=code)

    def pipeline(self, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        """Run the command line in the checkout."""
        done = subprocess.run(
            [str(self.binaries / "pipeline"), *arguments, "--aws"],
            cwd=self.root,
            env=self.environment,
            text=True,
            capture_output=True,
        )
        assert done.returncode == code, f"exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def job(self, dataset: str) -> dict[str, Any]:
        """A job as Glue has it."""
        return self.glue.get_job(JobName=f"movie-pipeline-dev-{dataset}")["Job"]

    def script(self, dataset: str) -> bytes:
        """The script that a job would run."""
        bucket, _, key = self.job(dataset)["Command"]["ScriptLocation"].removeprefix("s3://").partition("/")
        return self.s3.get_object(Bucket=bucket, Key=key)["Body"].read()

    def edit(self, dataset: str, nodes: dict[str, Any]) -> None:
        """Save another DAG as the canvas does: with the job's whole definition."""
        dropped = ("Name", "CreatedOn", "LastModifiedOn", "Tags", "AllocatedCapacity", "MaxCapacity")
        definition = {key: value for key, value in self.job(dataset).items() if key not in dropped}
        definition["CodeGenConfigurationNodes"] = nodes
        self.glue.update_job(JobName=f"movie-pipeline-dev-{dataset}", JobUpdate=definition)

    def run_job(self, dataset: str) -> dict[str, Any]:
        """Run a job to its end; gives the run."""
        name = f"movie-pipeline-dev-{dataset}"
        run = self.glue.start_job_run(JobName=name)["JobRunId"]

        def ended() -> dict[str, Any] | None:
            state = self.glue.get_job_run(JobName=name, RunId=run)["JobRun"]
            return state if state["JobRunState"] not in ("STARTING", "RUNNING") else None

        return wait_for(ended, 120, f"the job {name}")

    def change_setting(self, group: str, name: str, value: Any) -> None:
        """Change a setting of dev in cdk.json."""
        path = self.root / "cdk.json"
        config = json.loads(path.read_text())
        config["context"]["environments"]["dev"].setdefault(group, {})[name] = value
        path.write_text(json.dumps(config, indent=2))


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """The project's jobs, deployed from a checkout that a test may edit; destroying them leaves nothing."""
    folder = tmp_path_factory.mktemp("canvas")
    cloud = RunningCloud(folder / "state").start()
    try:
        deployed = Checkout(folder, cloud)
        deployed.cdk("bootstrap", "aws://000000000000/us-east-1")
        deployed.deploy()
        yield deployed
        deployed.cdk("destroy", "--all", "--force")
        assert cloud.client("glue").get_jobs()["Jobs"] == []
        assert all(bucket["Name"].startswith("cdk-") for bucket in cloud.client("s3").list_buckets()["Buckets"])
    finally:
        cloud.stop()


@pytest.fixture
def project(cloud: RunningCloud) -> Iterator[Project]:
    used = Project(cloud)
    yield used
    try:
        assert used.destroy() == "DELETE_COMPLETE"
    except ClientError as error:
        assert "does not exist" in str(error)
