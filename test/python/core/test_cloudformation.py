"""CloudFormation: what this project's stacks need of it, on small templates."""

from __future__ import annotations

import io
import itertools
import json
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from running_cloud import RunningCloud, wait_for

numbers = itertools.count()


class Stacks:
    """Deploys templates on the cloud under test and deletes them after it."""

    def __init__(self, cloud: RunningCloud) -> None:
        self.cloudformation = cloud.client("cloudformation")
        self.names: list[str] = []

    def deploy(self, resources: dict, name: str = "", outputs: dict | None = None, **arguments: Any) -> dict:
        """Create or update a stack, wait for the end, describe it."""
        template = json.dumps({"Resources": resources, "Outputs": outputs or {}})
        known = name in self.names
        name = name or f"stack-{next(numbers)}"
        call = self.cloudformation.update_stack if known else self.cloudformation.create_stack
        call(StackName=name, TemplateBody=template, Capabilities=["CAPABILITY_NAMED_IAM"], **arguments)
        if not known:
            self.names.append(name)
        return self.settled(name)

    def settled(self, name: str) -> dict:
        """Wait until no operation runs on the stack."""

        def describe() -> dict | None:
            try:
                found = self.cloudformation.describe_stacks(StackName=name)["Stacks"][0]
            except ClientError:
                return {"StackStatus": "DELETE_COMPLETE"}
            return None if found["StackStatus"].endswith("IN_PROGRESS") else found

        return wait_for(describe, 30, f"the stack {name}")

    def physical(self, stack: dict, logical_id: str) -> str:
        """The physical id of a resource."""
        detail = self.cloudformation.describe_stack_resource(StackName=stack["StackName"], LogicalResourceId=logical_id)
        return detail["StackResourceDetail"]["PhysicalResourceId"]

    def reasons(self, stack: dict) -> str:
        """Why resources of a stack failed."""
        events = self.cloudformation.describe_stack_events(StackName=stack["StackName"])["StackEvents"]
        return "\n".join(event.get("ResourceStatusReason", "") for event in events)

    def delete(self, stack: dict) -> str:
        """Delete a stack; gives its last status."""
        self.cloudformation.delete_stack(StackName=stack["StackName"])
        self.names.remove(stack["StackName"])

        def ended() -> str | None:
            status = self.cloudformation.describe_stacks(StackName=stack["StackId"])["Stacks"][0]["StackStatus"]
            return None if status.endswith("IN_PROGRESS") else status

        return wait_for(ended, 30, f"the deletion of {stack['StackName']}")


@pytest.fixture
def stacks(cloud: RunningCloud) -> Iterator[Stacks]:
    used = Stacks(cloud)
    yield used
    for name in reversed(used.names):
        used.cloudformation.delete_stack(StackName=name)
        used.settled(name)


def resource(kind: str, **properties: Any) -> dict:
    return {"Type": kind, "Properties": properties}


# Loud failures ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (resource("Custom::Anything", ServiceToken="x"), "does not implement the resource type Custom::Anything"),
        (resource("AWS::S3::Bucket", ObjectLockEnabled=True), "does not implement AWS::S3::Bucket ObjectLockEnabled"),
        (resource("AWS::SQS::Queue", NoSuchThing=1), "does not implement AWS::SQS::Queue NoSuchThing"),
    ],
)
def test_what_nothing_implements_fails_the_stack_by_name(stacks: Stacks, broken: dict, reason: str) -> None:
    stack = stacks.deploy({"Good": resource("AWS::SQS::Queue"), "Broken": {**broken, "DependsOn": "Good"}})
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    assert reason in stacks.reasons(stack)


def test_an_unknown_type_is_refused(stacks: Stacks) -> None:
    with pytest.raises(ClientError, match=r"Unrecognized resource types.*MediaLive"):
        stacks.deploy({"Channel": resource("AWS::MediaLive::Channel")})


# Buckets ----------------------------------------------------------------------------------------------------------


def full_bucket() -> dict:
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": {"Fn::GetAtt": ["Key", "Arn"]}}
    return resource(
        "AWS::S3::Bucket",
        BucketEncryption={
            "ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": default, "BucketKeyEnabled": True}]
        },
        VersioningConfiguration={"Status": "Enabled"},
        PublicAccessBlockConfiguration={
            "BlockPublicAcls": True,
            "BlockPublicPolicy": True,
            "IgnorePublicAcls": True,
            "RestrictPublicBuckets": True,
        },
        OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
        LifecycleConfiguration={
            "Rules": [
                {
                    "Id": "old",
                    "Status": "Enabled",
                    "NoncurrentVersionExpiration": {"NoncurrentDays": 30},
                    "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
                },
                {"Id": "temporary", "Status": "Enabled", "Prefix": "temp/", "ExpirationInDays": 3},
            ]
        },
        LoggingConfiguration={"DestinationBucketName": {"Ref": "Logs"}, "LogFilePrefix": "full/"},
        NotificationConfiguration={
            "QueueConfigurations": [
                {
                    "Event": event,
                    "Queue": {"Fn::GetAtt": ["Queue", "Arn"]},
                    "Filter": {"S3Key": {"Rules": [{"Name": "prefix", "Value": "raw/"}]}},
                }
                for event in ("s3:ObjectCreated:*", "s3:ObjectRemoved:*")
            ]
        },
        Tags=[{"Key": "aws-cdk:auto-delete-objects", "Value": "true"}],
    )


def bucket_with_surroundings() -> dict:
    return {
        "Key": resource("AWS::KMS::Key", KeyPolicy={"Version": "2012-10-17", "Statement": []}, EnableKeyRotation=True),
        "Logs": resource("AWS::S3::Bucket"),
        "Queue": resource("AWS::SQS::Queue", SqsManagedSseEnabled=True),
        "Bucket": full_bucket(),
        "Emptied": resource("Custom::S3AutoDeleteObjects", ServiceToken="x", BucketName={"Ref": "Bucket"}),
    }


def test_a_bucket_has_what_its_template_says(cloud: RunningCloud, stacks: Stacks) -> None:
    stack = stacks.deploy(bucket_with_surroundings())
    assert stack["StackStatus"] == "CREATE_COMPLETE", stacks.reasons(stack)
    s3, name = cloud.client("s3"), stacks.physical(stack, "Bucket")
    assert s3.get_bucket_versioning(Bucket=name)["Status"] == "Enabled"
    rule = s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"][0]
    assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    assert rule["BucketKeyEnabled"] is True
    rules = s3.get_bucket_lifecycle_configuration(Bucket=name)["Rules"]
    assert rules[0]["NoncurrentVersionExpiration"] == {"NoncurrentDays": 30}
    assert (rules[1]["Filter"], rules[1]["Expiration"]) == ({"Prefix": "temp/"}, {"Days": 3})
    assert s3.get_bucket_logging(Bucket=name)["LoggingEnabled"]["TargetPrefix"] == "full/"
    controls = s3.get_bucket_ownership_controls(Bucket=name)["OwnershipControls"]
    assert controls["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    block = s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"]
    assert all(block.values()) and len(block) == 4
    assert s3.get_bucket_tagging(Bucket=name)["TagSet"][0]["Key"] == "aws-cdk:auto-delete-objects"


def test_objects_tell_the_queue_when_they_come_and_go(cloud: RunningCloud, stacks: Stacks) -> None:
    stack = stacks.deploy(bucket_with_surroundings())
    s3, sqs = cloud.client("s3"), cloud.client("sqs")
    bucket, queue = stacks.physical(stack, "Bucket"), stacks.physical(stack, "Queue")
    key = "raw/d/ingest_date=2024-01-01/a b.csv"
    s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    s3.put_object(Bucket=bucket, Key="other/a", Body=b"x")
    s3.delete_object(Bucket=bucket, Key=key)
    seen: list[tuple[str, str]] = []

    def both() -> bool:
        for message in sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", []):
            for record in json.loads(message["Body"]).get("Records", []):
                seen.append((record["eventName"], record["s3"]["object"]["key"]))
        return len(seen) >= 2

    wait_for(both, 10, "both events")
    encoded = "raw/d/ingest_date%3D2024-01-01/a+b.csv"
    assert sorted(seen) == [("ObjectCreated:Put", encoded), ("ObjectRemoved:DeleteMarkerCreated", encoded)]


def test_deleting_the_stack_empties_its_buckets(cloud: RunningCloud, stacks: Stacks) -> None:
    stack = stacks.deploy(bucket_with_surroundings())
    s3, name = cloud.client("s3"), stacks.physical(stack, "Bucket")
    for body in (b"1", b"2"):
        s3.put_object(Bucket=name, Key="raw/a", Body=body)
    s3.delete_object(Bucket=name, Key="raw/a")
    assert stacks.delete(stack) == "DELETE_COMPLETE"
    with pytest.raises(ClientError, match=r"404|NoSuchBucket"):
        s3.head_bucket(Bucket=name)


def test_a_bucket_with_objects_does_not_delete(cloud: RunningCloud, stacks: Stacks) -> None:
    stack = stacks.deploy({"Bucket": resource("AWS::S3::Bucket")})
    s3, name = cloud.client("s3"), stacks.physical(stack, "Bucket")
    s3.put_object(Bucket=name, Key="a", Body=b"1")
    assert stacks.delete(stack) == "DELETE_FAILED"
    s3.delete_object(Bucket=name, Key="a")


def test_an_update_changes_the_bucket_in_place(cloud: RunningCloud, stacks: Stacks) -> None:
    resources = bucket_with_surroundings()
    stack = stacks.deploy(resources)
    name = stacks.physical(stack, "Bucket")
    properties = resources["Bucket"]["Properties"]
    del properties["LifecycleConfiguration"]["Rules"][1]
    del properties["LoggingConfiguration"]
    updated = stacks.deploy(resources, stack["StackName"])
    assert updated["StackStatus"] == "UPDATE_COMPLETE", stacks.reasons(updated)
    assert stacks.physical(updated, "Bucket") == name
    s3 = cloud.client("s3")
    assert [rule["ID"] for rule in s3.get_bucket_lifecycle_configuration(Bucket=name)["Rules"]] == ["old"]
    assert "LoggingEnabled" not in s3.get_bucket_logging(Bucket=name)


# Bucket deployments -----------------------------------------------------------------------------------------------


@pytest.fixture
def archives(cloud: RunningCloud) -> str:
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="archives")
    for name, files in (("one.zip", {"a.txt": "a {{m}}", "d/b.json": '"{{m}}"'}), ("two.zip", {"a.txt": "new"})):
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w") as archive:
            for path, text in files.items():
                archive.writestr(path, text)
        s3.put_object(Bucket="archives", Key=name, Body=content.getvalue())
    return "archives"


def deployment(key: str, **properties: Any) -> dict:
    return resource(
        "Custom::CDKBucketDeployment",
        ServiceToken="x",
        SourceBucketNames=["archives"],
        SourceObjectKeys=[key],
        DestinationBucketName={"Ref": "Bucket"},
        DestinationBucketKeyPrefix="scripts",
        **properties,
    )


def test_a_deployment_copies_prunes_and_goes(cloud: RunningCloud, stacks: Stacks, archives: str) -> None:
    bucket = resource("AWS::S3::Bucket")
    marked = deployment("one.zip", Prune=True, RetainOnDelete=False, SourceMarkers=[{"{{m}}": "value"}])
    stack = stacks.deploy({"Bucket": bucket, "Files": marked})
    assert stack["StackStatus"] == "CREATE_COMPLETE", stacks.reasons(stack)
    s3, name = cloud.client("s3"), stacks.physical(stack, "Bucket")

    def files() -> dict:
        listed = s3.list_objects_v2(Bucket=name).get("Contents", [])
        return {entry["Key"]: s3.get_object(Bucket=name, Key=entry["Key"])["Body"].read() for entry in listed}

    assert files() == {"scripts/a.txt": b"a value", "scripts/d/b.json": b'"value"'}
    s3.put_object(Bucket=name, Key="elsewhere", Body=b"stays")
    again = deployment("two.zip", Prune=True, RetainOnDelete=False)
    stacks.deploy({"Bucket": bucket, "Files": again}, stack["StackName"])
    assert files() == {"scripts/a.txt": b"new", "elsewhere": b"stays"}
    stacks.deploy({"Bucket": bucket}, stack["StackName"])
    assert files() == {"elsewhere": b"stays"}
    s3.delete_object(Bucket=name, Key="elsewhere")


# Other types ------------------------------------------------------------------------------------------------------


def test_classifiers_and_security_configurations(cloud: RunningCloud, stacks: Stacks) -> None:
    encryption = {
        "S3Encryptions": [{"S3EncryptionMode": "SSE-KMS", "KmsKeyArn": "arn:aws:kms:us-east-1:000000000000:key/k"}],
        "CloudWatchEncryption": {"CloudWatchEncryptionMode": "DISABLED"},
    }
    resources = {
        "Csv": resource("AWS::Glue::Classifier", CsvClassifier={"Name": "csv", "Delimiter": ",", "QuoteSymbol": '"'}),
        "Security": resource("AWS::Glue::SecurityConfiguration", Name="s", EncryptionConfiguration=encryption),
    }
    stack = stacks.deploy(resources)
    assert stack["StackStatus"] == "CREATE_COMPLETE", stacks.reasons(stack)
    glue = cloud.client("glue")
    assert glue.get_classifier(Name="csv")["Classifier"]["CsvClassifier"]["Delimiter"] == ","
    found = glue.get_security_configuration(Name="s")["SecurityConfiguration"]["EncryptionConfiguration"]
    assert found["S3Encryption"][0]["S3EncryptionMode"] == "SSE-KMS"
    assert stacks.delete(stack) == "DELETE_COMPLETE"
    with pytest.raises(ClientError, match="EntityNotFoundException"):
        glue.get_classifier(Name="csv")


def test_the_default_security_group_loses_its_rules(cloud: RunningCloud, stacks: Stacks) -> None:
    resources = {
        "Vpc": resource("AWS::EC2::VPC", CidrBlock="10.0.0.0/16"),
        "Restricted": resource(
            "Custom::VpcRestrictDefaultSG",
            ServiceToken="x",
            Account="000000000000",
            DefaultSecurityGroupId={"Fn::GetAtt": ["Vpc", "DefaultSecurityGroup"]},
        ),
    }
    stack = stacks.deploy(resources)
    assert stack["StackStatus"] == "CREATE_COMPLETE", stacks.reasons(stack)
    of_vpc = [{"Name": "vpc-id", "Values": [stacks.physical(stack, "Vpc")]}]
    group = cloud.client("ec2").describe_security_groups(Filters=of_vpc)["SecurityGroups"][0]
    assert (group["IpPermissions"], group["IpPermissionsEgress"]) == ([], [])


def test_rules_of_security_groups_come_change_and_go(cloud: RunningCloud, stacks: Stacks) -> None:
    def template(port: int, **more: Any) -> dict:
        ports = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "Description": "Redshift"}
        of, other = {"Fn::GetAtt": ["Inside", "GroupId"]}, {"Fn::GetAtt": ["Outside", "GroupId"]}
        group = {"VpcId": {"Ref": "Vpc"}, "GroupDescription": "A group"}
        return {
            "Vpc": resource("AWS::EC2::VPC", CidrBlock="10.0.0.0/16"),
            "Inside": resource("AWS::EC2::SecurityGroup", **group),
            "Outside": resource("AWS::EC2::SecurityGroup", **group),
            "In": resource("AWS::EC2::SecurityGroupIngress", GroupId=of, SourceSecurityGroupId=other, **ports, **more),
            "Out": resource("AWS::EC2::SecurityGroupEgress", GroupId=other, DestinationSecurityGroupId=of, **ports),
        }

    def rules(group: str, direction: str) -> list[tuple[int, str]]:
        found = cloud.client("ec2").describe_security_groups(GroupIds=[group])["SecurityGroups"][0][direction]
        return [(rule["FromPort"], pair["GroupId"]) for rule in found for pair in rule["UserIdGroupPairs"]]

    stack = stacks.deploy(template(5439))
    assert stack["StackStatus"] == "CREATE_COMPLETE", stacks.reasons(stack)
    inside, outside = stacks.physical(stack, "Inside"), stacks.physical(stack, "Outside")
    assert rules(inside, "IpPermissions") == [(5439, outside)]
    assert rules(outside, "IpPermissionsEgress") == [(5439, inside)]

    stacks.deploy(template(5440), stack["StackName"])
    assert rules(inside, "IpPermissions") == [(5440, outside)]

    without = {name: given for name, given in template(5440).items() if name not in ("In", "Out")}
    stacks.deploy(without, stack["StackName"])
    assert rules(inside, "IpPermissions") == []
    assert rules(outside, "IpPermissionsEgress") == []

    refused = stacks.deploy(template(5439, SourcePrefixListId="pl-1"))
    assert "does not implement AWS::EC2::SecurityGroupIngress SourcePrefixListId" in stacks.reasons(refused)


def test_stacks_refer_to_each_other(stacks: Stacks) -> None:
    exported = {"Arn": {"Value": {"Fn::GetAtt": ["Queue", "Arn"]}, "Export": {"Name": "the-queue"}}}
    stacks.deploy({"Queue": resource("AWS::SQS::Queue", QueueName="exported")}, outputs=exported)
    text = {"Fn::Sub": ["${AWS::Region}/${x}/${AWS::StackName}", {"x": {"Fn::ImportValue": "the-queue"}}]}
    nothing = {"Ref": "AWS::NoValue"}
    topic = resource("AWS::SNS::Topic", TopicName="importing", DisplayName=nothing)
    stack = stacks.deploy({"Topic": topic}, outputs={"Text": {"Value": text}})
    value = stack["Outputs"][0]["OutputValue"]
    assert value == f"us-east-1/arn:aws:sqs:us-east-1:000000000000:exported/{stack['StackName']}"


def test_a_bad_state_machine_fails_its_stack(stacks: Stacks) -> None:
    definition = {"QueryLanguage": "JSONata", "StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "${there}"}}}
    machine = resource(
        "AWS::StepFunctions::StateMachine",
        RoleArn="arn:aws:iam::000000000000:role/r",
        DefinitionString=json.dumps(definition),
        DefinitionSubstitutions={"there": "B"},
    )
    stack = stacks.deploy({"Machine": machine})
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    assert "there is no state 'B'" in stacks.reasons(stack)


def test_a_job_keeps_its_whole_definition(cloud: RunningCloud, stacks: Stacks) -> None:
    def job(workers: int) -> dict:
        command = {"Name": "glueetl", "ScriptLocation": "s3://b/s.py", "PythonVersion": "3"}
        return resource(
            "AWS::Glue::Job",
            Name="whole",
            Role="arn:aws:iam::000000000000:role/r",
            Command=command,
            GlueVersion="5.1",
            NumberOfWorkers=workers,
            WorkerType="G.1X",
            ExecutionProperty={"MaxConcurrentRuns": workers},
        )

    stack = stacks.deploy({"Job": job(2)})
    assert stack["StackStatus"] == "CREATE_COMPLETE", stacks.reasons(stack)
    stack = stacks.deploy({"Job": job(3)}, stack["StackName"])
    assert stack["StackStatus"] == "UPDATE_COMPLETE", stacks.reasons(stack)
    found = cloud.client("glue").get_job(JobName="whole")["Job"]
    assert (found["NumberOfWorkers"], found["ExecutionProperty"]) == (3, {"MaxConcurrentRuns": 3})


def test_a_glue_connection_follows_its_stack(cloud: RunningCloud, stacks: Stacks) -> None:
    def connection(url: str) -> dict:
        properties = {"JDBC_CONNECTION_URL": url, "SECRET_ID": "s", "PASSWORD": "p"}
        network = {"SubnetId": "subnet-1", "SecurityGroupIdList": ["sg-1"], "AvailabilityZone": "us-east-1a"}
        given = {
            "ConnectionType": "JDBC",
            "ConnectionProperties": properties,
            "PhysicalConnectionRequirements": network,
        }
        resource = {"CatalogId": "000000000000", "ConnectionInput": given}
        return {"Connection": {"Type": "AWS::Glue::Connection", "Properties": resource}}

    glue = cloud.client("glue")
    stack = stacks.deploy(connection("jdbc:redshift://one:5439/movies"))
    name = stacks.physical(stack, "Connection")
    found = glue.get_connection(Name=name, HidePassword=True)["Connection"]
    assert found["ConnectionProperties"] == {"JDBC_CONNECTION_URL": "jdbc:redshift://one:5439/movies", "SECRET_ID": "s"}
    assert found["PhysicalConnectionRequirements"]["SubnetId"] == "subnet-1"

    stacks.deploy(connection("jdbc:redshift://two:5439/movies"), stack["StackName"])
    found = glue.get_connection(Name=name)["Connection"]
    assert found["ConnectionProperties"]["JDBC_CONNECTION_URL"] == "jdbc:redshift://two:5439/movies"
    assert [item["Name"] for item in glue.get_connections()["ConnectionList"] if item["Name"] == name] == [name]
    with pytest.raises(glue.exceptions.AlreadyExistsException):
        glue.create_connection(ConnectionInput={"Name": name, "ConnectionType": "JDBC", "ConnectionProperties": {}})

    assert stacks.delete(stack) == "DELETE_COMPLETE"
    with pytest.raises(glue.exceptions.EntityNotFoundException):
        glue.get_connection(Name=name)
