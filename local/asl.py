"""Amazon States Language, as a state machine of JSONata states runs it.

The interpreter follows https://docs.aws.amazon.com/step-functions/latest/dg/concepts-amazon-states-language.html and
https://states-language.net/spec.html: the scope of variables, what may be caught, the size limits, and the events of
the execution history with the line that each belongs to (`previousEventId`). It knows no AWS service; a Task's
resource is called through the function it is given.
"""

from __future__ import annotations

import contextvars
import json
import math
import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, TimeoutError
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import jsonata
from jsonata.utils import Utils
from ministack.services import stepfunctions as ministack

MAX_BYTES = 262_144
MAX_EVENTS = 25_000
MAX_PARALLEL_ITERATIONS = 40
QUERY_TIMEOUT_MS = 20_000

# Errors that end an execution whatever its Catch fields say, and those that States.ALL does not stand for.
# https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
TERMINAL_ERRORS = {"States.Runtime"}
NOT_IN_ALL = {"States.DataLimitExceeded"}

CallResource = Callable[[str, Any, threading.Event], Any]


class StateError(Exception):
    """An error with a name that Retry and Catch see, and a cause."""

    def __init__(self, error: str, cause: str) -> None:
        super().__init__(f"{error}: {cause}")
        self.error = error
        self.cause = cause

    def output(self) -> dict:
        """What a Catch sees as `$states.errorOutput`."""
        return {"Error": self.error, "Cause": self.cause}


class StoppedError(Exception):
    """The execution, or the Map or Parallel around this line of it, has ended; nothing more may happen on it."""


@dataclass
class Scope:
    """One line of states: the top of the machine, a Map iteration or a Parallel branch, with its own variables."""

    parent: Scope | None = None
    variables: dict[str, Any] = field(default_factory=dict)
    map_item: dict | None = None
    previous_event: int = 0
    stopping: threading.Event = field(default_factory=threading.Event)
    children: list[Scope] = field(default_factory=list)

    def child(self, map_item: dict | None = None) -> Scope:
        """A scope inside this one: it reads these variables, and what it assigns ends with it."""
        scope = Scope(self, map_item=map_item or self.map_item, previous_event=self.previous_event)
        self.children.append(scope)
        if self.stopping.is_set():
            scope.stop()
        return scope

    def stop(self) -> None:
        """End this line and all lines inside it."""
        self.stopping.set()
        for scope in list(self.children):
            scope.stop()

    def visible(self) -> dict[str, Any]:
        """Every variable that an expression here may read."""
        return {**(self.parent.visible() if self.parent else {}), **self.variables}


class Execution:
    """One run of a state machine over a record that ministack's API reads."""

    def __init__(self, record: dict, machine: dict, call: CallResource, wait_scale: float) -> None:
        self.record = record
        self.machine = machine
        self.definition = json.loads(machine["definition"])
        self.call = call
        self.wait_scale = wait_scale
        self.top = Scope(previous_event=1)
        self._events_lock = threading.Lock()

    def run(self) -> None:
        """Run to the end and write the outcome into the record."""
        timer = self._start_timer()
        try:
            output = self._run_states(self.top, self.definition, json.loads(self.record["input"]))
            self._end("SUCCEEDED", "ExecutionSucceeded", {"output": dump(output)}, output=dump(output))
        except StoppedError:
            pass
        except StateError as error:
            self._fail(error)
        except Exception as error:
            self._fail(StateError("States.Runtime", f"the local cloud failed: {error!r}"))
            raise
        finally:
            self.top.stop()
            if timer:
                timer.cancel()

    def _start_timer(self) -> threading.Timer | None:
        seconds = self.definition.get("TimeoutSeconds")
        if not seconds:
            return None
        timer = threading.Timer(seconds, self._time_out)
        timer.daemon = True
        timer.start()
        return timer

    def _time_out(self) -> None:
        self._end("TIMED_OUT", "ExecutionTimedOut", {"error": "States.Timeout"}, error="States.Timeout")
        self.top.stop()

    def _fail(self, error: StateError) -> None:
        details = {"error": error.error, "cause": error.cause}
        self._end("FAILED", "ExecutionFailed", details, **details)

    def _end(self, status: str, event: str, details: dict, **fields: str) -> None:
        with self._events_lock:
            if self.record["status"] != "RUNNING":
                return
            self._append(self.top, event, details)
            self.record.update(fields, stopDate=now(), status=status)

    # Events -------------------------------------------------------------------------------------------------------

    def event(self, scope: Scope, kind: str, details: dict, key: str = "") -> int:
        """Add an event to the history and to the scope's line; gives its id."""
        with self._events_lock:
            if self.record["status"] != "RUNNING" or scope.stopping.is_set():
                raise StoppedError
            if len(self.record["events"]) >= MAX_EVENTS - 1:
                raise StateError("States.Runtime", f"the execution reached the limit of {MAX_EVENTS} history events")
            return self._append(scope, kind, details, key)

    def _append(self, scope: Scope, kind: str, details: dict, key: str = "") -> int:
        events = self.record["events"]
        entry = {"id": len(events) + 1, "previousEventId": scope.previous_event, "timestamp": now(), "type": kind}
        if details:
            entry[(key or kind[0].lower() + kind[1:]) + "EventDetails"] = details
        events.append(entry)
        scope.previous_event = len(events)
        return len(events)

    # States -------------------------------------------------------------------------------------------------------

    def _run_states(self, scope: Scope, machine: dict, data: Any) -> Any:
        name = machine["StartAt"]
        while True:
            state = State(self, scope, name, machine["States"][name], data)
            data, name = state.run()
            if name is None:
                return data

    def run_inside(self, scope: Scope, machine: dict, data: Any) -> Any:
        """Run the states of a Map's processor or a Parallel's branch."""
        return self._run_states(scope, machine, data)

    def pause(self, scope: Scope, seconds: float) -> None:
        """Wait (scaled, since nobody wants to wait for a stand-in), and end when the line does."""
        if scope.stopping.wait(max(0.0, seconds) * self.wait_scale):
            raise StoppedError


class State:
    """One entry into one state."""

    def __init__(self, execution: Execution, scope: Scope, name: str, definition: dict, data: Any) -> None:
        self.execution = execution
        self.scope = scope
        self.name = name
        self.definition = definition
        self.data = data
        self.kind: str = definition["Type"]
        self.entered = now()
        self.retries = 0
        self.tries: dict[int, int] = {}
        self.assigned: dict[str, Any] = {}

    def run(self) -> tuple[Any, str | None]:
        """Run it; gives its output and the name of the next state, None at the end of the line."""
        check_size(self.data, f"the input of the state '{self.name}'")
        self._event("Entered", {"input": dump(self.data)})
        output, following = self._run_with_retry_and_catch()
        check_size(output, f"the output of the state '{self.name}'")
        assigned = {name: dump(value) for name, value in self.assigned.items()}
        self._event("Exited", {"output": dump(output), **({"assignedVariables": assigned} if assigned else {})})
        return output, following

    def _event(self, what: str, details: dict) -> None:
        if what == "Exited" and self.kind == "Fail":
            return
        self.execution.event(self.scope, f"{self.kind}State{what}", {"name": self.name, **details}, key=f"state{what}")

    def _run_with_retry_and_catch(self) -> tuple[Any, str | None]:
        while True:
            try:
                return RUN[self.kind](self)
            except StateError as error:
                if error.error == "States.QueryEvaluationError":
                    details = {"error": error.error, "cause": error.cause, "state": self.name}
                    self.execution.event(self.scope, "EvaluationFailed", details)
                if self.kind not in ("Task", "Map", "Parallel") or error.error in TERMINAL_ERRORS:
                    raise
                if not self._retry(error):
                    return self._catch(error)

    def _retry(self, error: StateError) -> bool:
        """Wait for the next try; false when no retrier matches or its tries are used up."""
        for index, retrier in enumerate(self.definition.get("Retry", [])):
            if not matches(retrier["ErrorEquals"], error.error):
                continue
            tried = self.tries.get(index, 0)
            if tried >= retrier.get("MaxAttempts", 3):
                return False
            self.tries[index] = tried + 1
            self.retries += 1
            self.execution.pause(self.scope, retry_delay(retrier, tried))
            return True
        return False

    def _catch(self, error: StateError) -> tuple[Any, str]:
        for catcher in self.definition.get("Catch", []):
            if matches(catcher["ErrorEquals"], error.error):
                caught = error.output()
                output = self.output(catcher, default=caught, errorOutput=caught)
                return output, catcher["Next"]
        raise error

    # Expressions --------------------------------------------------------------------------------------------------

    def output(self, fields: dict, default: Any, **states: Any) -> Any:
        """Evaluate Output and Assign of a state, a Catch or a Choice rule, both on the values at entry."""
        result = self.evaluate(fields["Output"], **states) if "Output" in fields else default
        if "Assign" in fields:
            assigned = self.evaluate(fields["Assign"], **states)
            check_size(assigned, f"what the state '{self.name}' assigns")
            self.scope.variables.update(assigned)
            self.assigned = assigned
        return result

    def evaluate(self, template: Any, **states: Any) -> Any:
        """Evaluate every `{% … %}` string in a template."""
        if isinstance(template, dict):
            return {key: self.evaluate(value, **states) for key, value in template.items()}
        if isinstance(template, list):
            return [self.evaluate(value, **states) for value in template]
        if isinstance(template, str) and is_expression(template):
            given = {"input": self.data, "context": self.context(), **states}
            return query(template[2:-2].strip(), self.scope.visible(), given)
        return template

    def number(self, name: str) -> float | None:
        """A field that is a number of seconds or of things, or an expression for one."""
        if name not in self.definition:
            return None
        value = self.evaluate(self.definition[name])
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise StateError(
                "States.QueryEvaluationError",
                f"the field '{name}' of the state '{self.name}' must be a whole number that is not negative, "
                f"but was {dump(value)}",
            )
        return value

    def context(self) -> dict:
        """The Context object: https://docs.aws.amazon.com/step-functions/latest/dg/input-output-contextobject.html"""
        record, machine = self.execution.record, self.execution.machine
        context: dict[str, Any] = {
            "Execution": {
                "Id": record["executionArn"],
                "Input": json.loads(record["input"]),
                "Name": record["name"],
                "RoleArn": machine["roleArn"],
                "StartTime": record["startDate"],
                "RedriveCount": 0,
            },
            "StateMachine": {"Id": machine["stateMachineArn"], "Name": machine["name"]},
            "State": {"Name": self.name, "EnteredTime": self.entered, "RetryCount": self.retries},
        }
        if self.scope.map_item is not None:
            context["Map"] = {"Item": self.scope.map_item}
        return context

    def following(self) -> str | None:
        """The next state's name; None at the end."""
        return self.definition.get("Next")

    # Types --------------------------------------------------------------------------------------------------------

    def run_pass(self) -> tuple[Any, str | None]:
        """Pass: https://docs.aws.amazon.com/step-functions/latest/dg/state-pass.html"""
        return self.output(self.definition, default=self.data), self.following()

    def run_succeed(self) -> tuple[Any, None]:
        """Succeed: ends the line."""
        return self.output(self.definition, default=self.data), None

    def run_fail(self) -> tuple[Any, None]:
        """Fail: ends the line with an error."""
        fields = [self.evaluate(self.definition.get(name, default)) for name, default in FAIL_DEFAULTS]
        for (name, _), value in zip(FAIL_DEFAULTS, fields, strict=True):
            if not isinstance(value, str):
                raise StateError("States.QueryEvaluationError", f"{name} must be a string, but was {dump(value)}")
        raise StateError(*fields)

    def run_wait(self) -> tuple[Any, str | None]:
        """Wait: https://docs.aws.amazon.com/step-functions/latest/dg/state-wait.html"""
        seconds = self.number("Seconds")
        if seconds is None:
            until = self.evaluate(self.definition["Timestamp"])
            try:
                seconds = (datetime.fromisoformat(until) - datetime.now(UTC)).total_seconds()
            except (TypeError, ValueError) as error:
                raise StateError("States.QueryEvaluationError", f"no ISO 8601 time: {dump(until)}") from error
        self.execution.pause(self.scope, seconds)
        return self.output(self.definition, default=self.data), self.following()

    def run_choice(self) -> tuple[Any, str | None]:
        """Choice: https://docs.aws.amazon.com/step-functions/latest/dg/state-choice.html"""
        for rule in self.definition["Choices"]:
            answer = self.evaluate(rule["Condition"])
            if not isinstance(answer, bool):
                raise StateError(
                    "States.QueryEvaluationError",
                    f"the condition {rule['Condition']} must give true or false, but gave {dump(answer)}",
                )
            if answer:
                return self.output(rule, default=self.data), rule["Next"]
        if "Default" not in self.definition:
            raise StateError("States.NoChoiceMatched", f"no rule of '{self.name}' matched and it has no Default")
        return self.output(self.definition, default=self.data), self.definition["Default"]

    def run_task(self) -> tuple[Any, str | None]:
        """Task: https://docs.aws.amazon.com/step-functions/latest/dg/state-task.html"""
        arguments = self.evaluate(self.definition.get("Arguments", self.data))
        check_size(arguments, f"the arguments of the state '{self.name}'")
        service, _, action = self.definition["Resource"].removeprefix("arn:aws:states:::").rpartition(":")
        called = {"resourceType": service, "resource": action}
        event = self.execution.event
        event(self.scope, "TaskScheduled", {**called, "region": "us-east-1", "parameters": dump(arguments)})
        event(self.scope, "TaskStarted", called)
        try:
            result = self._call(arguments)
            check_size(result, f"the result of the task '{self.name}'")
        except StateError as error:
            kind = "TaskTimedOut" if error.error == "States.Timeout" else "TaskFailed"
            event(self.scope, kind, {**called, "error": error.error, "cause": error.cause})
            raise
        event(self.scope, "TaskSucceeded", {**called, "output": dump(result)})
        return self.output(self.definition, default=result, result=result), self.following()

    def _call(self, arguments: Any) -> Any:
        limit = self.number("TimeoutSeconds")
        deadline = time.monotonic() + limit if limit else math.inf
        cancelled = threading.Event()
        resource = self.definition["Resource"]
        called = in_thread(lambda: self.execution.call(resource, arguments, cancelled))
        try:
            while True:
                try:
                    return called.result(timeout=0.1)
                except TimeoutError:
                    if self.scope.stopping.is_set():
                        raise StoppedError from None
                    if time.monotonic() > deadline:
                        message = f"the task '{self.name}' ran longer than {limit} s"
                        raise StateError("States.Timeout", message) from None
        finally:
            cancelled.set()

    def run_parallel(self) -> tuple[Any, str | None]:
        """Parallel: https://docs.aws.amazon.com/step-functions/latest/dg/state-parallel.html"""
        data = self.evaluate(self.definition.get("Arguments", self.data))
        self.execution.event(self.scope, "ParallelStateStarted", {})
        branches = self.definition["Branches"]
        scopes = [self.scope.child() for _ in branches]
        lines = [
            (scope, lambda scope=scope, branch=branch: self.execution.run_inside(scope, branch, data))
            for scope, branch in zip(scopes, branches, strict=True)
        ]
        result = self._run_lines(lines, len(lines), "ParallelStateFailed")
        self.execution.event(self.scope, "ParallelStateSucceeded", {})
        return self.output(self.definition, default=result, result=result), self.following()

    def run_map(self) -> tuple[Any, str | None]:
        """Map, inline: https://docs.aws.amazon.com/step-functions/latest/dg/state-map-inline.html"""
        items = self.evaluate(self.definition.get("Items", self.data))
        if not isinstance(items, list):
            raise StateError("States.QueryEvaluationError", f"Items must be an array, but was {dump(items)}")
        self.execution.event(self.scope, "MapStateStarted", {"length": len(items)})
        lines = [self._iteration(index, item) for index, item in enumerate(items)]
        limit = self.number("MaxConcurrency") or MAX_PARALLEL_ITERATIONS
        result = self._run_lines(lines, int(min(limit, MAX_PARALLEL_ITERATIONS)), "MapStateFailed")
        self.execution.event(self.scope, "MapStateSucceeded", {})
        return self.output(self.definition, default=result, result=result), self.following()

    def _iteration(self, index: int, item: Any) -> tuple[Scope, Callable[[], Any]]:
        scope = self.scope.child({"Index": index, "Value": item})
        details = {"name": self.name, "index": index}

        def run() -> Any:
            event = self.execution.event
            event(scope, "MapIterationStarted", details)
            selector = State(self.execution, scope, self.name, self.definition, self.data)
            data = selector.evaluate(self.definition["ItemSelector"]) if "ItemSelector" in self.definition else item
            try:
                output = self.execution.run_inside(scope, self.definition["ItemProcessor"], data)
            except StateError:
                event(scope, "MapIterationFailed", details)
                raise
            event(scope, "MapIterationSucceeded", details)
            return output

        return scope, run

    def _run_lines(self, lines: list[tuple[Scope, Callable[[], Any]]], at_once: int, failed: str) -> list:
        """Run lines side by side; the first error stops the others and becomes the state's."""
        results: list[Any] = [None] * len(lines)
        errors: list[BaseException] = []
        waiting: Iterator[int] = iter(range(len(lines)))
        lock = threading.Lock()

        def work() -> None:
            while True:
                with lock:
                    index = next(waiting, None)
                if index is None or errors:
                    return
                try:
                    results[index] = lines[index][1]()
                except BaseException as error:
                    with lock:
                        errors.append(error)
                    for scope, _ in lines:
                        scope.stop()

        workers = [in_thread(work) for _ in range(min(at_once, len(lines)))]
        for worker in workers:
            worker.result()
        first = next((error for error in errors if not isinstance(error, StoppedError)), None)
        self.scope.previous_event = max([self.scope.previous_event, *(scope.previous_event for scope, _ in lines)])
        for scope, _ in lines:
            self.scope.children.remove(scope)
        if isinstance(first, StateError):
            self.execution.event(self.scope, failed, {"error": first.error, "cause": first.cause})
        if errors:
            raise first or errors[0]
        return results


RUN: dict[str, Callable[[State], tuple[Any, str | None]]] = {
    "Pass": State.run_pass,
    "Task": State.run_task,
    "Choice": State.run_choice,
    "Wait": State.run_wait,
    "Succeed": State.run_succeed,
    "Fail": State.run_fail,
    "Parallel": State.run_parallel,
    "Map": State.run_map,
}
FAIL_DEFAULTS = (("Error", "States.Fail"), ("Cause", ""))


def matches(names: list[str], error: str) -> bool:
    """Whether a Retry's or Catch's ErrorEquals covers an error."""
    if error in names:
        return True
    if "States.ALL" in names:
        return error not in NOT_IN_ALL
    return "States.TaskFailed" in names and error != "States.Timeout" and error not in NOT_IN_ALL


def retry_delay(retrier: dict, tried: int) -> float:
    """Seconds until the next try: exponential, capped by MaxDelaySeconds, spread by JitterStrategy FULL."""
    delay = retrier.get("IntervalSeconds", 1) * retrier.get("BackoffRate", 2.0) ** tried
    delay = min(delay, retrier.get("MaxDelaySeconds", math.inf))
    return random.uniform(0, delay) if retrier.get("JitterStrategy") == "FULL" else delay


def is_expression(text: str) -> bool:
    """Whether a string is a JSONata expression."""
    return text.startswith("{%") and text.endswith("%}")


def query(expression: str, variables: dict[str, Any], states: dict[str, Any]) -> Any:
    """Evaluate one JSONata expression; an undefined result is an error, as on AWS."""
    null = Utils.NULL_VALUE
    bindings = {name: null if value is None else value for name, value in {**variables, "states": states}.items()}
    try:
        value = _evaluate(expression, bindings)
        # The engine gives None for null and for undefined.
        if value is None and not _evaluate(f"$exists(({expression}))", bindings):
            raise ValueError("the expression gave no value (JSONata undefined), which JSON cannot hold")
        return plain(value)
    except Exception as error:
        code = getattr(error, "error", None)
        message = f"{code}: {error}" if isinstance(code, str) else str(error)
        raise StateError("States.QueryEvaluationError", f"{message} in the expression: {expression}") from error


def _evaluate(expression: str, bindings: dict[str, Any]) -> Any:
    compiled = jsonata.Jsonata.jsonata(expression, timeout=QUERY_TIMEOUT_MS)
    ministack._register_sfn_jsonata_functions(compiled)
    compiled.register_lambda("eval", _no_eval)
    return compiled.evaluate(None, bindings)


def _no_eval(_expression: Any = None, _context: Any = None) -> Any:
    raise ValueError("$eval is not available in Step Functions; use $parse for JSON text")


def plain(value: Any) -> Any:
    """A JSONata result as JSON has it: no sequences, no sentinels, whole numbers without a fraction."""
    if value is None or value is Utils.NULL_VALUE:
        return None
    if isinstance(value, bool | str | int):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"JSON cannot hold the number {value}")
        return int(value) if value.is_integer() else value
    if isinstance(value, dict):
        return {str(key): plain(member) for key, member in value.items()}
    if isinstance(value, list | tuple | range):
        return [plain(member) for member in value]
    raise ValueError(f"JSON cannot hold a {type(value).__name__}")


def check_size(value: Any, what: str) -> None:
    """Raise States.DataLimitExceeded over 256 KiB of JSON.

    https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
    """
    size = len(dump(value).encode())
    if size > MAX_BYTES:
        raise StateError("States.DataLimitExceeded", f"{what} is {size} bytes; the limit is {MAX_BYTES}")


def dump(value: Any) -> str:
    """Compact JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def now() -> str:
    """The time as the Context object writes it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def in_thread(work: Callable[[], Any]) -> Future:
    """Run on a thread of its own that keeps the account and region of this one."""
    future: Future = Future()
    context = contextvars.copy_context()

    def run() -> None:
        try:
            future.set_result(context.run(work))
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return future
