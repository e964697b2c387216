"""Step Functions: each test is one behaviour of AWS that a workflow may lean on."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from running_cloud import RunningCloud, wait_for

ROLE = "arn:aws:iam::000000000000:role/test"
SDK = "arn:aws:states:::aws-sdk:"
numbers = itertools.count()


class Machines:
    """Runs definitions on the cloud under test."""

    def __init__(self, cloud: RunningCloud) -> None:
        self.sfn = cloud.client("stepfunctions")

    def create(self, states: dict, start: str = "", **fields: Any) -> str:
        """A JSONata state machine; the first state is the start. Gives its ARN."""
        definition = {"QueryLanguage": "JSONata", "StartAt": start or next(iter(states)), "States": states, **fields}
        name = f"machine-{next(numbers)}"
        answer = self.sfn.create_state_machine(name=name, definition=json.dumps(definition), roleArn=ROLE)
        return answer["stateMachineArn"]

    def start(self, states: dict, data: Any = None, **fields: Any) -> str:
        """Start an execution; gives its ARN."""
        machine = self.create(states, **fields)
        return self.sfn.start_execution(stateMachineArn=machine, input=json.dumps(data or {}))["executionArn"]

    def ended(self, execution: str) -> dict:
        """Wait for the end of an execution and describe it."""

        def describe() -> dict | None:
            found = self.sfn.describe_execution(executionArn=execution)
            return None if found["status"] == "RUNNING" else found

        return wait_for(describe, 30, f"the end of {execution}")

    def run(self, states: dict, data: Any = None, **fields: Any) -> dict:
        """Run to the end."""
        return self.ended(self.start(states, data, **fields))

    def output(self, states: dict, data: Any = None, **fields: Any) -> Any:
        """Run to success; gives the output."""
        ended = self.run(states, data, **fields)
        assert ended["status"] == "SUCCEEDED", (ended.get("error"), ended.get("cause"))
        return json.loads(ended["output"])

    def events(self, execution: str) -> list[dict]:
        """The whole history."""
        pages = self.sfn.get_paginator("get_execution_history").paginate(executionArn=execution)
        return [event for page in pages for event in page["events"]]


@pytest.fixture
def machines(cloud: RunningCloud) -> Machines:
    return Machines(cloud)


@pytest.fixture(scope="module")
def bucket(cloud: RunningCloud) -> str:
    cloud.client("s3").create_bucket(Bucket="step-functions")
    return "step-functions"


def single(**state: Any) -> dict:
    """A machine of one state."""
    return {"Only": {"End": True, **state}}


def task(action: str, arguments: Any, **fields: Any) -> dict:
    """A Task that calls an AWS SDK action."""
    return {"Type": "Task", "Resource": SDK + action, "Arguments": arguments, **fields}


def one_pass(output: Any, **fields: Any) -> dict:
    return {"Type": "Pass", "Output": output, **fields}


# Expressions and variables ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("{% 4 / 2 %}", 2),
        ("{% $states.input.absent = null %}", False),
        ("{% $states.input.nothing = null %}", True),
        ("{% $states.input.nothing %}", None),
        ("{% [$states.input.list[value > 1].name] %}", ["b"]),
        ("{% $parse('{\"a\": 1}') %}", {"a": 1}),
        ("{% $replace('{{d}}', '{{d}}', 'x') %}", "x"),
        ("{% $merge([{'a': 1}, {'b': null}]) %}", {"a": 1, "b": None}),
        ("{% {'a': $absent, 'b': 1} %}", {"b": 1}),
        ("no {expression}", "no {expression}"),
    ],
)
def test_expressions(machines: Machines, expression: str, expected: Any) -> None:
    data = {"nothing": None, "list": [{"name": "a", "value": 1}, {"name": "b", "value": 2}]}
    assert machines.output(single(**one_pass({"got": expression})), data) == {"got": expected}


@pytest.mark.parametrize("expression", ["{% $states.input.absent %}", "{% 1 + 'a' %}", "{% $eval('1') %}"])
def test_an_expression_without_a_value_is_an_error(machines: Machines, expression: str) -> None:
    ended = machines.run(single(**one_pass(expression)))
    assert (ended["status"], ended["error"]) == ("FAILED", "States.QueryEvaluationError")


def test_assignments_see_the_values_at_entry(machines: Machines) -> None:
    states = {
        "First": {"Type": "Pass", "Assign": {"a": 1, "b": 2}, "Next": "Swap"},
        "Swap": {"Type": "Pass", "Assign": {"a": "{% $b %}", "b": "{% $a %}"}, "Output": "{% $a %}", "Next": "Show"},
        "Show": one_pass("{% {'a': $a, 'b': $b, 'output': $states.input} %}", End=True),
    }
    assert machines.output(states) == {"a": 2, "b": 1, "output": 1}


def test_inner_scopes_read_outer_variables_and_keep_their_own(machines: Machines) -> None:
    inner = {
        "Add": {"Type": "Pass", "Assign": {"total": "{% $outer + $states.input %}"}, "Next": "Give"},
        "Give": one_pass("{% $total %}", End=True),
    }
    states = {
        "Set": {"Type": "Pass", "Assign": {"outer": 10}, "Next": "Each"},
        "Each": {
            "Type": "Map",
            "Items": [1, 2, 3],
            "ItemProcessor": {"StartAt": "Add", "States": inner},
            "Next": "End",
        },
        "End": one_pass("{% {'sums': $states.input, 'leaked': $exists($total)} %}", End=True),
    }
    assert machines.output(states) == {"sums": [11, 12, 13], "leaked": False}


def test_the_context_object(machines: Machines) -> None:
    inner = one_pass("{% {'map': $states.context.Map.Item, 'state': $states.context.State.Name} %}", End=True)
    states = {
        "Each": {
            "Type": "Map",
            "Items": "{% $states.input.items %}",
            "ItemProcessor": {"StartAt": "Inner", "States": {"Inner": inner}},
            "Output": "{% {'items': $states.result, 'given': $states.context.Execution.Input,"
            " 'id': $states.context.Execution.Id, 'name': $states.context.Execution.Name,"
            " 'started': $toMillis($states.context.Execution.StartTime)} %}",
            "End": True,
        }
    }
    execution = machines.start(states, {"items": ["x"]})
    output = json.loads(machines.ended(execution)["output"])
    assert output.pop("started") == pytest.approx(time.time() * 1000, abs=60_000)
    assert output == {
        "items": [{"map": {"Index": 0, "Value": "x"}, "state": "Inner"}],
        "given": {"items": ["x"]},
        "id": execution,
        "name": execution.rpartition(":")[2],
    }


# States -----------------------------------------------------------------------------------------------------------


def test_choice_takes_the_rule_with_its_output_and_assignments(machines: Machines) -> None:
    states = {
        "Choose": {
            "Type": "Choice",
            "Choices": [
                {"Condition": "{% $states.input.n > 5 %}", "Next": "Show", "Assign": {"size": "big"}},
                {"Condition": "{% $states.input.n > 2 %}", "Next": "Show", "Assign": {"size": "middle"}, "Output": 7},
            ],
            "Default": "Show",
            "Assign": {"size": "small"},
            "Output": "none",
        },
        "Show": one_pass("{% [$size, $states.input] %}", End=True),
    }
    assert machines.output(states, {"n": 9}) == ["big", {"n": 9}]
    assert machines.output(states, {"n": 3}) == ["middle", 7]
    assert machines.output(states, {"n": 1}) == ["small", "none"]


def test_a_condition_must_be_true_or_false(machines: Machines) -> None:
    states = {
        "Choose": {"Type": "Choice", "Choices": [{"Condition": "{% 'yes' %}", "Next": "Done"}]},
        "Done": {"Type": "Succeed"},
    }
    assert machines.run(states)["error"] == "States.QueryEvaluationError"


def test_parallel_gives_the_outputs_in_order(machines: Machines) -> None:
    branches = [
        {"StartAt": "Slow", "States": {"Slow": {"Type": "Wait", "Seconds": 4, "Output": "slow", "End": True}}},
        {"StartAt": "Fast", "States": {"Fast": one_pass("{% $states.input.x %}", End=True)}},
    ]
    state = {"Type": "Parallel", "Arguments": {"x": "fast"}, "Branches": branches}
    assert machines.output(single(**state)) == ["slow", "fast"]


def test_a_failing_branch_stops_the_others(machines: Machines) -> None:
    bad = {"Type": "Fail", "Error": "Bad.Thing", "Cause": "{% 'because' %}"}
    long = {"StartAt": "Long", "States": {"Long": {"Type": "Wait", "Seconds": 100_000, "End": True}}}
    branches = [
        {"StartAt": "Soon", "States": {"Soon": {"Type": "Wait", "Seconds": 10, "Next": "Bad"}, "Bad": bad}},
        {"StartAt": "Each", "States": {"Each": {"Type": "Map", "Items": [1], "ItemProcessor": long, "End": True}}},
    ]
    caught = {"ErrorEquals": ["Bad.Thing"], "Next": "Done", "Output": "{% $states.errorOutput %}"}
    states = {
        "Both": {"Type": "Parallel", "Branches": branches, "Catch": [caught], "End": True},
        "Done": {"Type": "Succeed"},
    }
    assert machines.output(states) == {"Error": "Bad.Thing", "Cause": "because"}


def test_map_selects_items_and_keeps_order(machines: Machines) -> None:
    state = {
        "Type": "Map",
        "Items": "{% [1..20] %}",
        "MaxConcurrency": 3,
        "ItemSelector": {"n": "{% $states.context.Map.Item.Value %}", "all": "{% $states.input.all %}"},
        "ItemProcessor": {"StartAt": "Inner", "States": {"Inner": one_pass("{% $states.input.n * 2 %}", End=True)}},
    }
    assert machines.output(single(**state), {"all": 1}) == [n * 2 for n in range(1, 21)]


def test_map_of_nothing_gives_nothing(machines: Machines) -> None:
    inner = {"StartAt": "Inner", "States": {"Inner": {"Type": "Pass", "End": True}}}
    assert machines.output(single(Type="Map", Items=[], ItemProcessor=inner)) == []


# Errors -----------------------------------------------------------------------------------------------------------

MISSING = task("s3:getObject", {"Bucket": "step-functions", "Key": "absent"})


def test_catch_assigns_from_the_error(machines: Machines, bucket: str) -> None:
    catch = {
        "ErrorEquals": ["S3.NoSuchKeyException"],
        "Assign": {"failed": "{% $states.errorOutput.Error %}"},
        "Output": "{% $states.input.kept %}",
        "Next": "Show",
    }
    states = {
        "Get": {**MISSING, "Catch": [catch], "End": True},
        "Show": one_pass("{% [$failed, $states.input] %}", End=True),
    }
    assert machines.output(states, {"kept": 1}) == ["S3.NoSuchKeyException", 1]


def test_retry_counts_its_tries(machines: Machines, bucket: str) -> None:
    retry = {"ErrorEquals": ["States.TaskFailed"], "MaxAttempts": 2, "IntervalSeconds": 1, "MaxDelaySeconds": 2}
    retry["JitterStrategy"] = "FULL"
    execution = machines.start({"Get": {**MISSING, "Retry": [retry], "End": True}})
    assert machines.ended(execution)["error"] == "S3.NoSuchKeyException"
    assert [event["type"] for event in machines.events(execution)].count("TaskFailed") == 3


def test_a_retry_sees_how_often_it_was_tried(machines: Machines, cloud: RunningCloud, bucket: str) -> None:
    cloud.client("s3").put_object(Bucket=bucket, Key="try-2", Body=b"found")
    arguments = {"Bucket": bucket, "Key": "{% 'try-' & $states.context.State.RetryCount %}"}
    retry = {"ErrorEquals": ["States.ALL"], "MaxAttempts": 3}
    state = task("s3:getObject", arguments, Retry=[retry], Output="{% $states.result.Body %}")
    assert machines.output(single(**state)) == "found"


def test_runtime_errors_cannot_be_caught(machines: Machines, bucket: str) -> None:
    catch = {"ErrorEquals": ["States.ALL"], "Next": "Done"}
    states = {
        "Get": task("s3:getObject", "{% {'Bucket': 'b'} %}", Catch=[catch], End=True),
        "Done": {"Type": "Succeed"},
    }
    assert machines.run(states)["error"] == "States.Runtime"


def test_what_is_too_large_ends_the_execution(machines: Machines) -> None:
    ended = machines.run(single(**one_pass("{% $pad('', 262200, 'x') %}")))
    assert (ended["status"], ended["error"]) == ("FAILED", "States.DataLimitExceeded")
    ended = machines.run(single(Type="Pass", Assign={"big": "{% $pad('', 262200, 'x') %}"}))
    assert ended["error"] == "States.DataLimitExceeded"


def test_the_machine_times_out(machines: Machines) -> None:
    ended = machines.run(single(Type="Wait", Seconds=100_000), TimeoutSeconds=1)
    assert (ended["status"], ended["error"]) == ("TIMED_OUT", "States.Timeout")


def test_stop_execution_stops(machines: Machines) -> None:
    execution = machines.start({"Wait": {"Type": "Wait", "Seconds": 20, "Next": "Out"}, "Out": {"Type": "Succeed"}})
    entered = "WaitStateEntered"
    wait_for(lambda: entered in [event["type"] for event in machines.events(execution)], 10, entered)
    machines.sfn.stop_execution(executionArn=execution, error="Mine", cause="enough")
    ended = machines.ended(execution)
    assert (ended["status"], ended["error"], ended["cause"]) == ("ABORTED", "Mine", "enough")
    time_for_the_wait_to_end = 2 * 20 * 0.05
    deadline = time.monotonic() + time_for_the_wait_to_end
    while time.monotonic() < deadline:
        assert machines.events(execution)[-1]["type"] == "ExecutionAborted"


# History ----------------------------------------------------------------------------------------------------------


def test_the_history_tells_the_states_inside_map_and_parallel(machines: Machines) -> None:
    inner = {"StartAt": "Inner", "States": {"Inner": one_pass("{% $states.input %}", End=True)}}
    states = {
        "Each": {"Type": "Map", "Items": ["x", "y"], "MaxConcurrency": 1, "ItemProcessor": inner, "Next": "Both"},
        "Both": {"Type": "Parallel", "Branches": [{"StartAt": "B", "States": {"B": {"Type": "Succeed"}}}], "End": True},
    }
    execution = machines.start(states)
    machines.ended(execution)
    events = machines.events(execution)
    assert [event["type"] for event in events] == [
        "ExecutionStarted",
        "MapStateEntered",
        "MapStateStarted",
        *["MapIterationStarted", "PassStateEntered", "PassStateExited", "MapIterationSucceeded"] * 2,
        "MapStateSucceeded",
        "MapStateExited",
        "ParallelStateEntered",
        "ParallelStateStarted",
        "SucceedStateEntered",
        "SucceedStateExited",
        "ParallelStateSucceeded",
        "ParallelStateExited",
        "ExecutionSucceeded",
    ]
    second = events[7]
    assert second["mapIterationStartedEventDetails"] == {"name": "Each", "index": 1}
    assert events[second["previousEventId"] - 1]["type"] == "MapStateStarted"
    assert events[8]["previousEventId"] == second["id"]
    assert events[8]["stateEnteredEventDetails"] == {"name": "Inner", "input": '"y"'}
    assert events[9]["stateExitedEventDetails"] == {"name": "Inner", "output": '"y"'}


# Integrations -----------------------------------------------------------------------------------------------------


def test_s3_objects(machines: Machines, bucket: str) -> None:
    states = {
        "Put": task("s3:putObject", {"Bucket": bucket, "Key": "o/a.json", "Body": {"a": [1]}}, Next="Copy"),
        "Copy": task(
            "s3:copyObject", {"Bucket": bucket, "Key": "o/d=1/b", "CopySource": f"{bucket}/o/a.json"}, Next="List"
        ),
        "List": task(
            "s3:listObjectsV2",
            {"Bucket": bucket, "Prefix": "o/d=1/"},
            Assign={"size": "{% $states.result.Contents[0].Size %}", "count": "{% $states.result.KeyCount %}"},
            Next="None",
        ),
        "None": task(
            "s3:listObjectsV2",
            {"Bucket": bucket, "Prefix": "nothing/"},
            Assign={"none": "{% $exists($states.result.Contents) %}"},
            Next="Delete",
        ),
        "Delete": task(
            "s3:deleteObjects",
            {"Bucket": bucket, "Delete": {"Objects": [{"Key": "o/a.json"}], "Quiet": True}},
            Next="Get",
        ),
        "Get": task(
            "s3:getObject",
            {"Bucket": bucket, "Key": "o/d=1/b"},
            Output="{% [$parse($states.result.Body).a[0], $size, $count, $none] %}",
            End=True,
        ),
    }
    assert machines.output(states) == [1, 9, 1, False]


def test_contents_of_one_object_is_a_list(machines: Machines, cloud: RunningCloud, bucket: str) -> None:
    cloud.client("s3").put_object(Bucket=bucket, Key="single/one", Body=b"x")
    listed = task("s3:listObjectsV2", {"Bucket": bucket, "Prefix": "single/"})
    assert [entry["Key"] for entry in machines.output(single(**listed))["Contents"]] == ["single/one"]


def test_a_conditional_put_is_a_lock(machines: Machines, cloud: RunningCloud) -> None:
    cloud.client("dynamodb").create_table(
        TableName="locks",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    put = task(
        "dynamodb:putItem",
        {
            "TableName": "locks",
            "Item": {"id": {"S": "one"}, "until": {"N": "5"}},
            "ConditionExpression": "attribute_not_exists(id)",
        },
    )
    machines.output(single(**put))
    assert machines.run(single(**put))["error"] == "DynamoDb.ConditionalCheckFailedException"
    get = task("dynamodb:getItem", {"TableName": "locks", "Key": {"id": {"S": "one"}}})
    assert machines.output(single(**get))["Item"] == {"id": {"S": "one"}, "until": {"N": "5"}}


def test_other_services(machines: Machines, cloud: RunningCloud) -> None:
    topic = cloud.client("sns").create_topic(Name="news")["TopicArn"]
    publish: dict[str, Any] = {"Type": "Task", "Resource": "arn:aws:states:::sns:publish"}
    publish["Arguments"] = {"TopicArn": topic, "Message": {"any": "JSON"}}
    assert "MessageId" in machines.output(single(**publish))
    metric = {"MetricName": "m", "Value": 1, "Dimensions": [{"Name": "d", "Value": "v"}]}
    machines.output(single(**task("cloudwatch:putMetricData", {"Namespace": "n", "MetricData": [metric]})))
    listed = cloud.client("cloudwatch").list_metrics(Namespace="n")["Metrics"]
    assert [found["MetricName"] for found in listed] == ["m"]


def test_an_execution_can_ask_about_another(machines: Machines) -> None:
    other = machines.start(single(Type="Succeed") | {"Only": {"Type": "Succeed"}})
    machines.ended(other)
    describe = task("sfn:describeExecution", {"ExecutionArn": other}, Output="{% $states.result.Status %}")
    assert machines.output(single(**describe)) == "SUCCEEDED"
    describe = task("sfn:describeExecution", {"ExecutionArn": other + "x"})
    assert machines.run(single(**describe))["error"] == "Sfn.ExecutionDoesNotExistException"


def test_glue_errors_have_the_names_of_aws(machines: Machines) -> None:
    get = task("glue:getCrawler", {"Name": "absent"})
    assert machines.run(single(**get))["error"] == "Glue.EntityNotFoundException"
    run = {"Type": "Task", "Resource": "arn:aws:states:::glue:startJobRun.sync", "Arguments": {"JobName": "absent"}}
    assert machines.run(single(**run))["error"] == "Glue.EntityNotFoundException"


# Definitions ------------------------------------------------------------------------------------------------------


def refused(states: dict, **fields: Any) -> Callable[[Machines], str]:
    def create(machines: Machines) -> str:
        with pytest.raises(ClientError) as error:
            machines.create(states, **fields)
        assert error.value.response["Error"]["Code"] == "InvalidDefinition"
        return error.value.response["Error"]["Message"]

    return create


@pytest.mark.parametrize(
    ("create", "message"),
    [
        (refused(single(Type="Pass", Parameters={})), "Parameters: unknown here"),
        (refused(single(Type="Pass"), QueryLanguage="JSONPath"), "set QueryLanguage to JSONata"),
        (refused({"A": {"Type": "Pass", "Next": "B"}}), "there is no state 'B'"),
        (refused({"A": {"Type": "Succeed"}, "B": {"Type": "Succeed"}}), "no state leads here"),
        (refused(single(**one_pass("{% ( %}"))), "INVALID_JSONATA_EXPRESSION"),
        (refused(single(**one_pass("{% $states.result %}"))), "there is no $states.result here"),
        (refused(single(**task("s3:getObject", {"bucket": "b"}))), "the field 'bucket' is not supported"),
        (refused(single(**task("s3:getObjects", {}))), "there is no operation GetObjects"),
        (refused(single(**task("medialive:listChannels", {}))), "does not implement the resource"),
    ],
)
def test_definitions_are_checked(machines: Machines, create: Callable[[Machines], str], message: str) -> None:
    assert message in create(machines)


def test_an_inner_scope_cannot_assign_an_outer_variable(machines: Machines) -> None:
    inner = {"StartAt": "In", "States": {"In": {"Type": "Pass", "Assign": {"x": 2}, "End": True}}}
    states = {
        "Set": {"Type": "Pass", "Assign": {"x": 1}, "Next": "Each"},
        "Each": {"Type": "Map", "Items": [1], "ItemProcessor": inner, "End": True},
    }
    assert "'x' is assigned in an outer scope" in refused(states)(machines)


def test_no_silent_start_with_bad_input(machines: Machines) -> None:
    machine = machines.create(single(Type="Pass"))
    with pytest.raises(ClientError, match="InvalidExecutionInput"):
        machines.sfn.start_execution(stateMachineArn=machine, input="{")
