"""The control plane of Redshift Serverless, by its API and by CloudFormation."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from running_cloud import RunningCloud, wait_for

TEMPLATE: dict[str, Any] = {
    "Resources": {
        "Namespace": {
            "Type": "AWS::RedshiftServerless::Namespace",
            "Properties": {
                "NamespaceName": "stacked",
                "DbName": "films",
                "AdminUsername": "keeper",
                "ManageAdminPassword": True,
                "IamRoles": ["arn:aws:iam::000000000000:role/copy"],
                "LogExports": ["userlog"],
            },
        },
        "Workgroup": {
            "Type": "AWS::RedshiftServerless::Workgroup",
            "Properties": {
                "WorkgroupName": "stacked",
                "NamespaceName": {"Ref": "Namespace"},
                "BaseCapacity": 8,
                "PubliclyAccessible": False,
                "ConfigParameters": [{"ParameterKey": "require_ssl", "ParameterValue": "true"}],
            },
        },
    },
    "Outputs": {
        "Workgroup": {"Value": {"Ref": "Workgroup"}},
        "Secret": {"Value": {"Fn::GetAtt": ["Namespace", "Namespace.AdminPasswordSecretArn"]}},
        "NamespaceArn": {"Value": {"Fn::GetAtt": ["Namespace", "Namespace.NamespaceArn"]}},
        "WorkgroupArn": {"Value": {"Fn::GetAtt": ["Workgroup", "Workgroup.WorkgroupArn"]}},
        "Address": {"Value": {"Fn::GetAtt": ["Workgroup", "Workgroup.Endpoint.Address"]}},
    },
}


def code(error: pytest.ExceptionInfo[ClientError]) -> str:
    return error.value.response["Error"]["Code"]


def test_life_of_a_namespace_and_a_workgroup(cloud: RunningCloud) -> None:
    serverless = cloud.client("redshift-serverless")
    created = serverless.create_namespace(namespaceName="life", dbName="films", manageAdminPassword=True)["namespace"]
    secret = created["adminPasswordSecretArn"]
    secrets = cloud.client("secretsmanager")
    assert json.loads(secrets.get_secret_value(SecretId=secret)["SecretString"])["username"] == "admin"
    group = serverless.create_workgroup(workgroupName="life", namespaceName="life", baseCapacity=4)["workgroup"]
    assert (group["status"], group["endpoint"]["port"]) == ("AVAILABLE", 5439)
    serverless.update_workgroup(workgroupName="life", maxCapacity=16)
    assert serverless.get_workgroup(workgroupName="life")["workgroup"]["maxCapacity"] == 16
    assert "life" in [item["workgroupName"] for item in serverless.list_workgroups()["workgroups"]]
    with pytest.raises(ClientError) as error:
        serverless.delete_namespace(namespaceName="life")
    assert code(error) == "ConflictException"
    serverless.delete_workgroup(workgroupName="life")
    serverless.delete_namespace(namespaceName="life")
    with pytest.raises(ClientError) as error:
        serverless.get_namespace(namespaceName="life")
    assert code(error) == "ResourceNotFoundException"
    with pytest.raises(ClientError):
        secrets.get_secret_value(SecretId=secret)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"baseCapacity": 9}, "steps of 8"),
        ({"baseCapacity": 16, "maxCapacity": 8}, "below baseCapacity"),
        ({"workgroupName": "Upper"}, "lower case"),
        ({"trackName": "current", "extraComputeForAutomaticOptimization": True}, "extraCompute"),
        ({"namespaceName": "no-such"}, "no-such"),
    ],
)
def test_workgroups_that_are_refused(cloud: RunningCloud, change: dict, words: str) -> None:
    serverless = cloud.client("redshift-serverless")
    if "refusing" not in [item["namespaceName"] for item in serverless.list_namespaces()["namespaces"]]:
        serverless.create_namespace(namespaceName="refusing")
    with pytest.raises(ClientError) as error:
        serverless.create_workgroup(**{"workgroupName": "refused", "namespaceName": "refusing", **change})
    assert words in str(error.value)


def stack_status(cloud: RunningCloud) -> dict:
    stack = cloud.client("cloudformation").describe_stacks(StackName="stacked")["Stacks"][0]
    assert "FAILED" not in stack["StackStatus"] and "ROLLBACK" not in stack["StackStatus"], stack
    return stack


def test_a_stack_of_both(cloud: RunningCloud) -> None:
    formation, serverless = cloud.client("cloudformation"), cloud.client("redshift-serverless")
    formation.create_stack(StackName="stacked", TemplateBody=json.dumps(TEMPLATE))
    wait_for(lambda: stack_status(cloud)["StackStatus"] == "CREATE_COMPLETE", 30, "the stack")
    outputs = {item["OutputKey"]: item["OutputValue"] for item in stack_status(cloud)["Outputs"]}
    workgroup = serverless.get_workgroup(workgroupName="stacked")["workgroup"]
    namespace = serverless.get_namespace(namespaceName="stacked")["namespace"]
    assert outputs == {
        "Workgroup": "stacked",
        "Secret": namespace["adminPasswordSecretArn"],
        "NamespaceArn": namespace["namespaceArn"],
        "WorkgroupArn": workgroup["workgroupArn"],
        "Address": workgroup["endpoint"]["address"],
    }
    data = cloud.client("redshift-data")
    target = {"WorkgroupName": "stacked", "Database": "films", "SecretArn": "redshift!stacked-keeper"}
    created = data.execute_statement(Sql="create schema kept", WaitTimeSeconds=30, **target)
    assert created["Status"] == "FINISHED"

    changed = json.loads(json.dumps(TEMPLATE))
    changed["Resources"]["Workgroup"]["Properties"]["BaseCapacity"] = 16
    formation.update_stack(StackName="stacked", TemplateBody=json.dumps(changed))
    wait_for(lambda: stack_status(cloud)["StackStatus"] == "UPDATE_COMPLETE", 30, "the update")
    assert serverless.get_workgroup(workgroupName="stacked")["workgroup"]["baseCapacity"] == 16
    assert "kept" in data.list_schemas(**target)["Schemas"]

    formation.delete_stack(StackName="stacked")
    wait_for(lambda: "stacked" not in str(serverless.list_namespaces()["namespaces"]), 30, "the deletion")
    assert "stacked" not in str(serverless.list_workgroups()["workgroups"])
    assert not (cloud.state / "warehouse/stacked").exists()
    with pytest.raises(ClientError):
        cloud.client("secretsmanager").get_secret_value(SecretId="redshift!stacked-keeper")
