"""The pipeline's own visual jobs, from the checkout to the canvas and back: the genuine CDK, the command line, git.

The tests build on each other, on one deployed stack.
"""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator
from canvas.conftest import Checkout
from running_cloud import ROOT

from local.model import problems

DATASETS = [dataset["name"] for dataset in json.loads((ROOT / "datasets.json").read_text())]
ONE = DATASETS[0]
SQL = f"glue-scripts/{ONE}/good_rows.sql"


def script_of(checkout: Checkout, dataset: str) -> bytes:
    return (checkout.root / "glue-scripts" / f"{dataset}.py").read_bytes()


def of_type(nodes: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    """The bodies of the nodes of a type."""
    return [node[kind] for node in nodes.values() if kind in node]


@pytest.mark.parametrize("dataset", DATASETS)
def test_the_deployed_job_is_visual_and_runs_the_tested_script(checkout: Checkout, dataset: str) -> None:
    job = checkout.job(dataset)
    assert job["JobMode"] == "VISUAL"
    written = json.loads((checkout.root / "glue-scripts" / f"{dataset}.dag.json").read_text())
    assert job["CodeGenConfigurationNodes"].keys() == written.keys()
    assert "${" not in json.dumps(job["CodeGenConfigurationNodes"]), "everything is resolved"
    source = of_type(job["CodeGenConfigurationNodes"], "S3CatalogSource")[0]
    assert source["Database"] == job["DefaultArguments"]["--BatchDatabase"]
    assert checkout.script(dataset) == script_of(checkout, dataset)


@pytest.mark.parametrize("dataset", DATASETS)
def test_the_request_is_what_the_services_model_takes(checkout: Checkout, dataset: str) -> None:
    """Of the definition that Glue was sent, as synthesized: types, required members, enumerations and patterns."""
    shape = botocore.session.get_session().get_service_model("glue").operation_model("UpdateJob").input_shape
    told = ("Name", "CreatedOn", "LastModifiedOn", "Tags", "JobRunQueuingEnabled")
    job = {key: value for key, value in checkout.job(dataset).items() if key not in told}
    request = {"JobName": f"movie-pipeline-dev-{dataset}", "JobUpdate": job}
    assert not ParamValidator().validate(request, shape).has_errors()
    assert list(problems(request, shape)) == []
    # These do find something.
    broken = copy.deepcopy(request)
    of_type(broken["JobUpdate"]["CodeGenConfigurationNodes"], "DropDuplicates")[0]["Name"] = "two\nlines"
    assert "does not match" in next(problems(broken, shape))


@pytest.mark.parametrize("dataset", DATASETS)
def test_what_was_not_edited_comes_home_without_a_difference(checkout: Checkout, dataset: str) -> None:
    done = checkout.pipeline("visual", "pull", dataset)
    assert f"The deployed DAG of {dataset} is the one in this checkout." in done.stdout
    assert checkout.git("status", "--porcelain") == ""


def edited(checkout: Checkout) -> dict[str, Any]:
    """The DAG after some work on the canvas: a new name, SQL, a path, a mapping, and what Glue Studio fills in."""
    nodes = copy.deepcopy(checkout.job(ONE)["CodeGenConfigurationNodes"])
    of_type(nodes, "DropDuplicates")[0].update(Name="Only once", Columns=[])
    query = next(body for body in of_type(nodes, "SparkSQL") if body["Name"] == "Good rows")
    query["SqlQuery"] = query["SqlQuery"].replace("select *", "select /* edited */ *")
    mapping = of_type(nodes, "ApplyMapping")[0]["Mapping"]
    mapping[0]["ToType"] = "varchar"
    target = of_type(nodes, "S3DirectTarget")[0]
    target["Path"] = target["Path"] + "elsewhere/"
    return nodes


def test_a_deployment_stops_before_it_overwrites_the_canvas(checkout: Checkout) -> None:
    checkout.edit(ONE, edited(checkout))
    before, generated = checkout.job(ONE), checkout.script(ONE)
    others = {dataset: checkout.job(dataset) for dataset in DATASETS[1:]}
    checkout.change_setting("job", "timeoutMinutes", 41)
    said = checkout.deploy(code=1)
    assert f"The DAG of job movie-pipeline-dev-{ONE} was edited on the canvas" in said
    assert f"pipeline visual pull {ONE} --aws --environment dev" in said
    assert checkout.job(ONE) == before, "everything stays"
    assert checkout.script(ONE) == generated
    for dataset, job in others.items():
        assert checkout.job(dataset) == job, "also the jobs that nobody edited"
        assert checkout.script(dataset) == script_of(checkout, dataset)


def test_uncommitted_work_is_not_overwritten(checkout: Checkout) -> None:
    path = checkout.root / SQL
    committed = path.read_text()
    path.write_text(committed + "-- being worked on\n")
    refused = checkout.pipeline("visual", "pull", ONE, code=2)
    assert f"not committed, and would be overwritten; commit them or give --force:\n M {SQL}" in refused.stderr
    assert path.read_text() == committed + "-- being worked on\n"
    path.write_text(committed)


def test_the_edits_come_home_and_nothing_else(checkout: Checkout) -> None:
    checkout.commit()
    done = checkout.pipeline("visual", "pull", ONE)
    assert 'DropDuplicates "Only once"' in done.stdout
    changed = checkout.git("diff", "--name-only").split()
    assert changed == [f"glue-scripts/{ONE}.dag.json", f"glue-scripts/{ONE}.py", SQL]
    lines = checkout.git("diff", "--unified=0", "--", f"glue-scripts/{ONE}.dag.json", SQL).splitlines()
    added = [line[1:].strip() for line in lines if line.startswith("+") and not line.startswith("+++")]
    gone = [line for line in lines if line.startswith("-") and not line.startswith("---")]
    assert (len(added), len(gone)) == (4, 4), lines
    assert any("Only once" in line for line in added)
    assert any('"ToType": "varchar"' in line for line in added)
    assert any("s3://${ProcessedBucket}/staging/" in line and "elsewhere/" in line for line in added)
    assert any(line.startswith("select /* edited */ *") for line in added)


def test_what_came_home_deploys_again(checkout: Checkout) -> None:
    checkout.commit()
    checkout.deploy()
    job = checkout.job(ONE)
    assert (job["Timeout"], job["JobMode"]) == (41, "VISUAL"), "a changed property registers again"
    assert of_type(job["CodeGenConfigurationNodes"], "DropDuplicates")[0]["Name"] == "Only once"
    assert checkout.script(ONE) == script_of(checkout, ONE)
    checkout.pipeline("visual", "pull", ONE)
    assert checkout.git("status", "--porcelain") == ""


def test_new_nodes_come_home_with_a_word_on_their_texts(checkout: Checkout) -> None:
    nodes = checkout.job(ONE)["CodeGenConfigurationNodes"]
    name, target = next((id_, node) for id_, node in nodes.items() if "S3DirectTarget" in node)
    copied = {**target["S3DirectTarget"], "Name": "Once more"}
    checkout.edit(ONE, {**nodes, "node-1700000000000": {"S3DirectTarget": copied}})
    done = checkout.pipeline("visual", "pull", ONE)
    assert 'new: node-1700000000000, S3DirectTarget "Once more"' in done.stdout
    assert "node-1700000000000.S3DirectTarget.Path: " in done.stderr
    assert "holds the value of ${ProcessedBucket} of this environment" in done.stderr
    written = json.loads((checkout.root / "glue-scripts" / f"{ONE}.dag.json").read_text())
    assert written["node-1700000000000"]["S3DirectTarget"]["Path"] == copied["Path"]
    assert written[name]["S3DirectTarget"]["Path"].startswith("s3://${ProcessedBucket}/")
    checkout.git("checkout", "--quiet", ".")
    checkout.edit(ONE, nodes)


def test_what_no_script_can_be_made_from_comes_home_too(checkout: Checkout) -> None:
    nodes = checkout.job(ONE)["CodeGenConfigurationNodes"]
    spigot = {"Name": "Sample", "Inputs": [next(iter(nodes))], "Path": "s3://b/sample/"}
    checkout.edit(ONE, {**nodes, "node-99": {"Spigot": spigot}})
    done = checkout.pipeline("visual", "pull", ONE, code=1)
    assert "the DAG is taken home, but no script can be generated from it" in done.stderr
    assert "Spigot" in done.stderr
    assert checkout.git("diff", "--name-only").split() == [f"glue-scripts/{ONE}.dag.json"]
    checkout.git("checkout", "--quiet", ".")
    checkout.edit(ONE, nodes)


def test_jobs_that_are_not_there(checkout: Checkout, tmp_path: Path) -> None:
    assert 'there is no job "nobody"' in checkout.pipeline("visual", "pull", "nobody", code=2).stderr
    done = checkout.pipeline("visual", "pull", ONE, "--environment", "nowhere", code=1)
    assert "stack movie-pipeline-nowhere-jobs is not deployed" in done.stderr


# The whole job of one dataset, for a test: two rows of an object, straight into the warehouse.
LOADER: dict[str, Any] = {
    "node-1": {"S3JsonSource": {"Name": "Films", "Paths": ["s3://${ArtifactsBucket}/temp/given/"]}},
    "node-2": {
        "AmazonRedshiftTarget": {
            "Name": "Warehouse",
            "Inputs": ["node-1"],
            "Data": {
                "AccessType": "Connection",
                "SourceType": "table",
                "Connection": {"Value": "${WarehouseConnection}"},
                "Schema": {"Value": "public"},
                "Table": {"Value": "films"},
                "Action": "merge",
                "TableSchema": [{"Value": "id", "Label": "BIGINT"}, {"Value": "title", "Label": "VARCHAR(100)"}],
                "SelectedColumns": [{"Value": "id"}],
                "TempDir": f"s3://${{ArtifactsBucket}}/temp/{ONE}/",
            },
        }
    },
}


@pytest.mark.spark
def test_with_a_connection_a_job_loads_the_warehouse(checkout: Checkout) -> None:
    dag = checkout.root / "glue-scripts" / f"{ONE}.dag.json"
    dag.write_text(json.dumps(LOADER))
    checkout.pipeline("visual", "generate", ONE)
    assert "needs the setting warehouse.glueConnection" in checkout.deploy(code=1)
    checkout.change_setting("warehouse", "glueConnection", True)
    checkout.deploy()

    ec2, name = checkout.cloud.client("ec2"), "movie-pipeline-dev-warehouse"
    network = checkout.glue.get_connection(Name=name)["Connection"]["PhysicalConnectionRequirements"]
    subnet = ec2.describe_subnets(SubnetIds=[network["SubnetId"]])["Subnets"][0]
    assert subnet["AvailabilityZone"] == network["AvailabilityZone"]
    endpoints = ec2.describe_vpc_endpoints(Filters=[{"Name": "vpc-id", "Values": [subnet["VpcId"]]}])["VpcEndpoints"]
    inside = [endpoint for endpoint in endpoints if endpoint["VpcEndpointType"] == "Interface"]
    assert len(inside) == 6
    assert {tuple(endpoint["SubnetIds"]) for endpoint in inside} == {(network["SubnetId"],)}
    serverless = checkout.cloud.client("redshift-serverless")
    workgroup = serverless.get_workgroup(workgroupName="movie-pipeline-dev")["workgroup"]
    let_in = ec2.describe_security_groups(GroupIds=workgroup["securityGroupIds"])["SecurityGroups"][0]["IpPermissions"]
    sources = [(rule["FromPort"], pair["GroupId"]) for rule in let_in for pair in rule["UserIdGroupPairs"]]
    assert sources == [(5439, group) for group in network["SecurityGroupIdList"]]
    assert checkout.job(ONE)["Connections"]["Connections"] == [name]
    assert not checkout.job(DATASETS[1]).get("Connections")

    bucket = checkout.job(ONE)["DefaultArguments"]["--ArtifactsBucket"]
    body = b'{"id": 1, "title": "Metropolis"}\n{"id": 2, "title": "M"}\n'
    checkout.s3.put_object(Bucket=bucket, Key="temp/given/films.json", Body=body)
    checkout.pipeline("query", "create table public.films (id bigint, title varchar(100))")
    checkout.pipeline("query", "insert into public.films values (1, 'Early title')")
    run = checkout.run_job(ONE)
    assert run["JobRunState"] == "SUCCEEDED", run.get("ErrorMessage")
    query = "select id, title from public.films order by id"
    done = checkout.pipeline("query", "--output", "json", query)
    assert json.loads(done.stdout) == [{"id": 1, "title": "Metropolis"}, {"id": 2, "title": "M"}]


def test_turned_off_the_jobs_are_their_scripts(checkout: Checkout) -> None:
    checkout.change_setting("job", "visual", False)
    checkout.deploy()
    for dataset in DATASETS:
        job = checkout.job(dataset)
        assert job["JobMode"] == "SCRIPT"
        assert not job.get("CodeGenConfigurationNodes")
        assert checkout.script(dataset) == script_of(checkout, dataset)
    artifacts = checkout.job(ONE)["DefaultArguments"]["--ArtifactsBucket"]
    assert "Contents" not in checkout.s3.list_objects_v2(Bucket=artifacts, Prefix="visual-jobs/")
    assert "it is its script alone" in checkout.pipeline("visual", "pull", ONE, code=1).stderr
