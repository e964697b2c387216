"""CloudFormation: ministack's engine, made to fail where it would pass over something.

- A type, a custom resource or a property that nothing implements fails the stack and is named.
- A custom resource whose function is in Python runs: the function's own deployed code, in a process of its own.
- CDK's custom resource for a VPC's default security group runs here, not as a Lambda function.
- The types that ministack does not know and that need no module of their own.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

from botocore.exceptions import ClientError
from ministack import app
from ministack.services import lambda_svc as lambdas
from ministack.services.cloudformation import custom_resource, provisioners, stacks

from local.cloud import Cloud

HOLD_SECONDS = 4.0
RUNNING = re.compile(rb"<StackStatus>(?!REVIEW)\w+_IN_PROGRESS</StackStatus>")
# Properties that mean nothing on one machine, or that only describe. Everything else must be applied.
WITHOUT_EFFECT: dict[str, set[str]] = {
    "AWS::DynamoDB::Table": {"PointInTimeRecoverySpecification", "SSESpecification"},
    "AWS::Glue::Database": {"CatalogId"},
    "AWS::Glue::Table": {"CatalogId"},
    "AWS::SNS::Topic": {"KmsMasterKeyId"},
    "AWS::StepFunctions::StateMachine": {"TracingConfiguration"},
}


def install(cloud: Cloud) -> None:
    """Replace what is silent in ministack's engine and add types."""
    refuse_what_is_not_applied(cloud)
    save_after_stack_operations(cloud)
    answer_when_settled()
    fail_with_the_function()
    group = DefaultSecurityGroup(cloud)
    cloud.resource("Custom::VpcRestrictDefaultSG", group.create, group.update, group.delete)
    classifiers = GlueType(cloud, "Classifier", _classifier)
    cloud.resource("AWS::Glue::Classifier", classifiers.create, classifiers.update, classifiers.delete)
    logs = FlowLogs(cloud)
    cloud.resource("AWS::EC2::FlowLog", logs.create, None, logs.delete)
    for kind in ("Ingress", "Egress"):
        rule = SecurityGroupRule(cloud, kind)
        cloud.resource(f"AWS::EC2::SecurityGroup{kind}", rule.create, rule.update, rule.delete)
    configurations = GlueType(cloud, "SecurityConfiguration", _security_configuration)
    cloud.resource(
        "AWS::Glue::SecurityConfiguration", configurations.create, configurations.update, configurations.delete
    )


class ReadProperties(dict):
    """Properties that remember which of them a handler read."""

    def __init__(self, values: dict) -> None:
        super().__init__(values)
        self.read: set[str] = set()

    def unread(self) -> set[str]:
        """What was given and not looked at."""
        return set(dict.keys(self)) - self.read

    def __getitem__(self, key: str) -> Any:
        self.read.add(key)
        return super().__getitem__(key)

    def get(self, key: str, default: Any = None) -> Any:
        """As dict.get."""
        self.read.add(key)
        return super().get(key, default)

    def _all(self) -> None:
        self.read.update(dict.keys(self))

    def __iter__(self) -> Iterator[str]:
        self._all()
        return super().__iter__()

    def keys(self) -> Any:
        """As dict.keys."""
        self._all()
        return super().keys()

    def items(self) -> Any:
        """As dict.items."""
        self._all()
        return super().items()


def refuse_what_is_not_applied(cloud: Cloud) -> None:
    """Fail a resource whose type, provider or property nothing implements."""
    create, update = stacks._provision_resource, stacks._update_resource

    def provision(type_name: str, logical_id: str, properties: dict, stack: str) -> tuple:
        if cloud.owns(type_name):
            return create(type_name, logical_id, properties, stack)
        _refuse_type(type_name, properties)
        seen = ReadProperties(properties)
        result = create(type_name, logical_id, seen, stack)
        try:
            _refuse_properties(type_name, seen.unread())
        except ValueError:
            provisioners._delete_resource(type_name, result[0], properties, stack, logical_id)
            raise
        return result

    def change(type_name: str, physical_id: str, old: dict, new: dict, stack: str, *rest: Any) -> tuple:
        if cloud.owns(type_name):
            return update(type_name, physical_id, old, new, stack, *rest)
        _refuse_type(type_name, new)
        seen = ReadProperties(new)
        result = update(type_name, physical_id, old, seen, stack, *rest)
        changed = {name for name in {**old, **new} if old.get(name) != new.get(name)}
        _refuse_properties(type_name, seen.unread() & changed)
        return result

    stacks._provision_resource = provision
    stacks._update_resource = change


def _refuse_type(type_name: str, properties: dict) -> None:
    if type_name.startswith("Custom::") or type_name == "AWS::CloudFormation::CustomResource":
        _refuse_function(type_name, properties.get("ServiceToken", ""))
    elif type_name not in provisioners._RESOURCE_HANDLERS:
        raise ValueError(f"the local cloud does not implement the resource type {type_name}")


def _refuse_function(type_name: str, function: str) -> None:
    _record, configuration, _name = lambdas._get_func_record_for_ref(function)
    if configuration is None:
        raise ValueError(f"the local cloud does not implement the resource type {type_name}: no function {function!r}")
    if not configuration["Runtime"].startswith("python"):
        raise ValueError(f"the local cloud does not run the function behind {type_name}: {configuration['Runtime']}")


def _refuse_properties(type_name: str, unread: set[str]) -> None:
    if dropped := unread - WITHOUT_EFFECT.get(type_name, set()):
        raise ValueError(f"the local cloud does not implement {type_name} {', '.join(sorted(dropped))}")


def save_after_stack_operations(cloud: Cloud) -> None:
    """Save when a stack's operation ends, so that a kill right after a deployment loses nothing."""
    add_event = stacks._add_event

    def add(stack_id: str, stack: str, logical_id: str, type_name: str, status: str, *rest: Any, **named: Any) -> None:
        add_event(stack_id, stack, logical_id, type_name, status, *rest, **named)
        if type_name == "AWS::CloudFormation::Stack" and status.endswith(("_COMPLETE", "_FAILED")):
            cloud.save_now()

    stacks._add_event = add


def answer_when_settled() -> None:
    """Hold the answer about a stack while an operation runs on it, a few seconds at most.

    CDK asks once and then only every five seconds, which would be most of the time of a deployment here.
    """
    describe = app.SERVICE_HANDLERS["cloudformation"]

    async def handle(method: str, path: str, headers: dict, body: bytes, query_params: dict) -> Any:
        answer = await describe(method, path, headers, body, query_params)
        deadline = time.monotonic() + HOLD_SECONDS
        while b"Action=DescribeStacks&" in body and RUNNING.search(answer[2]) and time.monotonic() < deadline:
            await asyncio.sleep(0.05)
            answer = await describe(method, path, headers, body, query_params)
        return answer

    app.SERVICE_HANDLERS["cloudformation"] = handle


def fail_with_the_function() -> None:
    """Fail a custom resource when its function ends in an error and has not answered.

    AWS waits for the answer for as long as ServiceTimeout says.
    """
    execute = lambdas._execute_function_with_config_scope

    def run(record: dict, event: Any) -> dict:
        result = execute(record, event)
        if isinstance(event, dict) and "ResponseURL" in event and result.get("error"):
            reason = f"the function ended without an answer: {result['body'].get('errorMessage')}"
            custom_resource.deliver_response(
                event["ResponseURL"].rpartition("/")[2], {"Status": "FAILED", "Reason": reason}
            )
        return result

    lambdas._execute_function_with_config_scope = run


class DefaultSecurityGroup:
    """Custom::VpcRestrictDefaultSG: takes the rules out of a VPC's default security group."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud

    def create(self, _logical_id: str, properties: dict, _stack: str) -> tuple[str, dict]:
        """Revoke every rule."""
        group = self._group(properties)
        ec2 = self.cloud.client("ec2")
        if group and group["IpPermissions"]:
            ec2.revoke_security_group_ingress(GroupId=group["GroupId"], IpPermissions=group["IpPermissions"])
        if group and group["IpPermissionsEgress"]:
            ec2.revoke_security_group_egress(GroupId=group["GroupId"], IpPermissions=group["IpPermissionsEgress"])
        return f"restricted-{properties['DefaultSecurityGroupId']}", {}

    def update(self, physical_id: str, old: dict, new: dict, stack: str) -> tuple[str, dict]:
        """Restrict the group that is now named."""
        if old["DefaultSecurityGroupId"] == new["DefaultSecurityGroupId"]:
            return physical_id, {}
        return self.create("", new, stack)

    def delete(self, _physical_id: str, _properties: dict) -> None:
        """The group goes with its VPC."""

    def _group(self, properties: dict) -> dict | None:
        groups = self.cloud.client("ec2").describe_security_groups(GroupIds=[properties["DefaultSecurityGroupId"]])
        return next(iter(groups["SecurityGroups"]), None)


class FlowLogs:
    """AWS::EC2::FlowLog."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud

    def create(self, _logical_id: str, properties: dict, _stack: str) -> tuple[str, dict]:
        """Create the flow log of one resource."""
        request = {key: value for key, value in properties.items() if key not in ("ResourceId", "Tags")}
        ec2 = self.cloud.client("ec2")
        answer = ec2.create_flow_logs(ResourceIds=[properties["ResourceId"]], **request)
        if answer.get("Unsuccessful"):
            raise ValueError(answer["Unsuccessful"][0]["Error"]["Message"])
        return answer["FlowLogIds"][0], {"Id": answer["FlowLogIds"][0]}

    def delete(self, physical_id: str, _properties: dict) -> None:
        """Delete it."""
        self.cloud.client("ec2").delete_flow_logs(FlowLogIds=[physical_id])


class SecurityGroupRule:
    """AWS::EC2::SecurityGroupIngress and AWS::EC2::SecurityGroupEgress: a rule apart from its group."""

    # The other end of the rule: where a permission of the API has it.
    ENDS: ClassVar = {
        "CidrIp": ("IpRanges", "CidrIp"),
        "SourceSecurityGroupId": ("UserIdGroupPairs", "GroupId"),
        "DestinationSecurityGroupId": ("UserIdGroupPairs", "GroupId"),
    }
    KNOWN = ("GroupId", "Description", "IpProtocol", "FromPort", "ToPort")

    def __init__(self, cloud: Cloud, kind: str) -> None:
        self.cloud = cloud
        self.kind = kind

    def create(self, _logical_id: str, properties: dict, _stack: str) -> tuple[str, dict]:
        """Add the rule to its group."""
        answer = self._call("Authorize", properties)
        rule = answer["SecurityGroupRules"][0]["SecurityGroupRuleId"]
        return rule, {"Id": rule}

    def update(self, _physical_id: str, old: dict, new: dict, stack: str) -> tuple[str, dict]:
        """Put another rule in its place."""
        self.delete("", old)
        return self.create("", new, stack)

    def delete(self, _physical_id: str, properties: dict) -> None:
        """Take the rule away; a group that is gone had it."""
        try:
            self._call("Revoke", properties)
        except ClientError as error:
            if not error.response["Error"]["Code"].endswith(".NotFound"):
                raise

    def _call(self, verb: str, properties: dict) -> dict:
        request = {"GroupId": properties["GroupId"], "IpPermissions": [self._permission(properties)]}
        return self.cloud.client("ec2")._make_api_call(f"{verb}SecurityGroup{self.kind}", request)

    def _permission(self, properties: dict) -> dict:
        _refuse_properties(f"AWS::EC2::SecurityGroup{self.kind}", {*properties} - {*self.KNOWN, *self.ENDS})
        described = {"Description": properties["Description"]} if "Description" in properties else {}
        ends = {
            listed: [{name: properties[end], **described}]
            for end, (listed, name) in self.ENDS.items()
            if end in properties
        }
        ports = {name: int(properties[name]) for name in ("FromPort", "ToPort") if name in properties}
        return {"IpProtocol": properties["IpProtocol"], **ports, **ends}


class GlueType:
    """A Glue resource that is created, read and deleted by its name with one API call each."""

    def __init__(self, cloud: Cloud, kind: str, request: Callable[[str, dict], dict]) -> None:
        self.cloud = cloud
        self.kind = kind
        self.request = request

    def _call(self, verb: str, request: dict) -> None:
        self.cloud.client("glue")._make_api_call(f"{verb}{self.kind}", request)

    def create(self, logical_id: str, properties: dict, stack: str) -> tuple[str, dict]:
        """Create it under its name, or one made of the stack's."""
        name = _given_name(properties) or provisioners._physical_name(stack, logical_id, max_len=255)
        self._call("Create", self.request(name, properties))
        return name, {}

    def update(self, name: str, _old: dict, new: dict, _stack: str) -> tuple[str, dict]:
        """Replace the definition under the same name."""
        if _given_name(new) not in (None, name):
            raise ValueError(f"the local cloud cannot rename {name}; delete the stack and deploy anew")
        self.delete(name, {})
        self._call("Create", self.request(name, new))
        return name, {}

    def delete(self, name: str, _properties: dict) -> None:
        """Delete it; what is gone already is no error."""
        try:
            self._call("Delete", {"Name": name})
        except ClientError as error:
            if error.response["Error"]["Code"] != "EntityNotFoundException":
                raise


def _given_name(properties: dict) -> str | None:
    kinds = [value for key, value in properties.items() if key.endswith("Classifier")]
    return properties.get("Name") or next((kind.get("Name") for kind in kinds), None)


def _classifier(name: str, properties: dict) -> dict:
    return {key: {**value, "Name": name} for key, value in properties.items()}


def _security_configuration(name: str, properties: dict) -> dict:
    encryption = dict(properties["EncryptionConfiguration"])
    if "S3Encryptions" in encryption:
        encryption["S3Encryption"] = encryption.pop("S3Encryptions")
    return {"Name": name, "EncryptionConfiguration": encryption}
