"""The custom resources of a visual job: their function's own code, run by a stack of the local cloud."""

from __future__ import annotations

import copy
import hashlib

import pytest
from botocore.exceptions import ClientError
from canvas.project import DAG, Project


def test_a_job_is_registered_with_its_dag_and_runs_the_tested_script(project: Project) -> None:
    assert project.deploy() == "CREATE_COMPLETE", project.told
    assert project.registered()
    assert project.definition()["DefaultArguments"] == {"--Database": "films_batch"}


def script_names(*scripts: bytes) -> list[str]:
    """What lies in the bucket when it has these scripts."""
    return sorted([*(f"{hashlib.sha256(script).hexdigest()}.py" for script in scripts), "registered.json"])


def test_each_change_registers_again_and_leaves_two_scripts(project: Project) -> None:
    project.deploy()
    project.workers = 5  # a property of the job alone: the stack's update takes the DAG from the job
    assert project.deploy() == "UPDATE_COMPLETE", project.told
    assert project.registered()
    project.rename()
    assert project.deploy() == "UPDATE_COMPLETE", project.told
    assert project.registered()
    scripts = [project.script, b"print('tested again')\n", b"print('and again')\n"]
    for project.script in scripts[1:]:
        assert project.deploy() == "UPDATE_COMPLETE", project.told
        assert project.registered()
    assert project.keys() == script_names(*scripts[1:]), "a rollback finds the script before"


def test_a_deployment_stops_before_it_overwrites_the_canvas(project: Project) -> None:
    project.deploy()
    project.edit("Edited on the canvas")
    edited, generated = project.definition(), project.runs()
    project.workers, project.script = 7, b"print('new')\n"
    assert project.deploy() == "UPDATE_ROLLBACK_COMPLETE"
    assert f"The DAG of job {project.job} was edited on the canvas" in project.told
    assert "pipeline visual pull films --aws --environment dev ;" in project.told
    assert project.definition() == edited, "everything stays"
    assert project.runs() == generated

    project.rename("Edited on the canvas")  # taken home
    assert project.deploy() == "UPDATE_COMPLETE", project.told
    assert project.registered()


def test_edits_of_the_canvas_are_thrown_away_when_that_is_said(project: Project) -> None:
    project.deploy()
    project.edit("Edited on the canvas")
    project.discard = True  # and nothing else has changed
    assert project.deploy() == "UPDATE_COMPLETE", project.told
    assert project.registered()
    assert len(project.take_saved_edits()) == 1
    project.discard = False
    assert project.deploy() == "UPDATE_COMPLETE", project.told
    assert project.registered()


def test_an_edit_that_was_undone_on_the_canvas_is_none(project: Project) -> None:
    project.deploy()
    project.edit("Edited on the canvas")
    project.edit(DAG["node-2"]["DropDuplicates"]["Name"])
    project.workers = 3
    assert project.deploy() == "UPDATE_COMPLETE", project.told
    assert project.registered()


@pytest.mark.parametrize("change", ["script and DAG", "workers"])
def test_a_rollback_leaves_the_old_version(project: Project, change: str) -> None:
    project.deploy()
    old = (copy.deepcopy(project.dag), project.script, project.workers)
    if change == "workers":
        project.workers = 9
    else:
        project.rename()
        project.script = b"print('fails later')\n"
    project.fails = True
    assert project.deploy() == "UPDATE_ROLLBACK_COMPLETE"
    project.dag, project.script, project.workers = old
    project.fails = False
    assert project.registered()
    project.rename("After the rollback")
    assert project.deploy() == "UPDATE_COMPLETE", project.told
    assert project.registered()


def test_a_create_that_fails_leaves_nothing(project: Project) -> None:
    project.fails = True
    project.s3.create_bucket(Bucket=project.bucket)  # outlives the stack, to see what is left in it
    template = project.template()
    del template["Artifacts"], template["Script"]["DependsOn"]
    assert project.deploy(Artifacts=None, Script=template["Script"]) == "ROLLBACK_COMPLETE"
    assert project.keys() == []
    with pytest.raises(project.glue.exceptions.EntityNotFoundException):
        project.definition()


def test_destroy_leaves_nothing_also_when_the_job_is_gone(project: Project) -> None:
    project.deploy()
    project.glue.delete_job(JobName=project.job)
    assert project.destroy() == "DELETE_COMPLETE"
    with pytest.raises(ClientError, match=r"NoSuchBucket|404"):
        project.keys()


def test_a_job_that_outlives_its_resources_is_a_job_of_its_script(project: Project) -> None:
    project.deploy()
    job = {key: value for key, value in project.template()["Job"].items() if key != "DependsOn"}
    assert project.deploy(Script=None, Visual=None, Job=job) == "UPDATE_COMPLETE", project.told
    assert project.definition()["JobMode"] == "SCRIPT"
    assert "CodeGenConfigurationNodes" not in project.definition()
    assert project.runs() == project.script
    project.s3.delete_object(Bucket=project.bucket, Key=f"visual-jobs/films/{project.keys()[0]}")


def test_values_that_contain_each_other_stop_the_deployment(project: Project) -> None:
    project.values["Bucket"] = "films_batch-processed"
    assert project.deploy() == "ROLLBACK_COMPLETE"
    assert "the value of Bucket, 'films_batch-processed', contains that of Database, 'films_batch'" in project.told


def test_what_glue_refuses_is_told(project: Project) -> None:
    project.dag["node-3"]["S3DirectTarget"]["Format"] = "papyrus"
    assert project.deploy() == "ROLLBACK_COMPLETE"
    assert "InvalidInputException" in project.told
    assert "CodeGenConfigurationNodes.node-3.S3DirectTarget.Format: 'papyrus' is none of" in project.told
