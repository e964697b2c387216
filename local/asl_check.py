"""What Step Functions refuses about a definition before it runs, and what this local cloud does not run.

`problems` gives one line for each, beginning with the path of the place. Only JSONata states are run here; a
definition in JSONPath is refused, as is a field or a resource that nothing implements.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import jsonata

from local.asl import is_expression

ANY_STATE = {"Type", "Comment", "QueryLanguage", "Output", "Assign"}
TASK_LIKE = {"Next", "End", "Retry", "Catch"}
FIELDS: dict[str, set[str]] = {
    "Pass": {"Next", "End"},
    "Task": TASK_LIKE | {"Resource", "Arguments", "TimeoutSeconds"},
    "Choice": {"Choices", "Default"},
    "Wait": {"Next", "End", "Seconds", "Timestamp"},
    "Succeed": set(),
    "Fail": {"Error", "Cause"},
    "Parallel": TASK_LIKE | {"Branches", "Arguments"},
    "Map": TASK_LIKE | {"Items", "ItemSelector", "ItemProcessor", "MaxConcurrency"},
}
REQUIRED: dict[str, set[str]] = {
    "Task": {"Resource"},
    "Choice": {"Choices"},
    "Parallel": {"Branches"},
    "Map": {"ItemProcessor"},
}
MACHINE = {"StartAt", "States", "Comment", "QueryLanguage", "TimeoutSeconds", "Version"}
PROCESSOR = {"StartAt", "States", "Comment", "ProcessorConfig"}
RULE = {"Condition", "Next", "Output", "Assign", "Comment"}
CATCHER = {"ErrorEquals", "Next", "Output", "Assign", "Comment"}
RETRIER = {
    "ErrorEquals",
    "IntervalSeconds",
    "MaxAttempts",
    "BackoffRate",
    "MaxDelaySeconds",
    "JitterStrategy",
    "Comment",
}
RESULT = re.compile(r"\$states\.result\b")
ERROR_OUTPUT = re.compile(r"\$states\.errorOutput\b")

CheckTask = Callable[[str, Any], list[str]]


def problems(text: str, check_task: CheckTask) -> list[str]:
    """Everything wrong with a definition; `check_task(resource, arguments)` judges the call of a Task."""
    try:
        definition = json.loads(text)
    except ValueError as error:
        return [f"/: no JSON: {error}"]
    if not isinstance(definition, dict):
        return ["/: a definition is an object"]
    checker = Checker(check_task)
    return [*checker.machine("", definition, MACHINE, set()), *checker.repeated_names()]


class Checker:
    """Walks one definition."""

    def __init__(self, check_task: CheckTask) -> None:
        self.check_task = check_task
        self.names: list[str] = []

    def repeated_names(self) -> Iterator[str]:
        """State names are unique in the whole machine."""
        for name in sorted({name for name in self.names if self.names.count(name) > 1}):
            yield f"/: the state name '{name}' stands more than once"

    def machine(self, path: str, machine: dict, fields: set[str], outer: set[str]) -> Iterator[str]:
        """The machine itself, a Map's processor or a Parallel's branch."""
        yield from unknown(path, machine, fields)
        if path == "" and machine.get("QueryLanguage") != "JSONata":
            yield "/QueryLanguage: the local cloud runs JSONata state machines; set QueryLanguage to JSONata"
        if (machine.get("ProcessorConfig") or {}).get("Mode", "INLINE") != "INLINE":
            yield f"{path}/ProcessorConfig: the local cloud runs inline Map states only"
        states = machine.get("States")
        if not isinstance(states, dict) or not states:
            yield f"{path}/States: missing"
            return
        self.names += states
        yield from self.transitions(path, machine, states)
        assigned = {name for state in states.values() for name in assigned_names(state)}
        for name in sorted(assigned & outer):
            yield f"{path}: the variable '{name}' is assigned in an outer scope already"
        for name, state in states.items():
            yield from self.state(f"{path}/States/{name}", name, state, outer | assigned)

    def transitions(self, path: str, machine: dict, states: dict) -> Iterator[str]:
        """Every target exists, every state is reached, every line can end."""
        start = machine.get("StartAt")
        reached, open_ = set(), [start]
        while open_:
            name = open_.pop()
            if name in reached:
                continue
            reached.add(name)
            if name not in states:
                yield f"{path}: MISSING_TRANSITION_TARGET: there is no state '{name}'"
                continue
            open_ += [target for target in targets(states[name]) if target]
        for name in states.keys() - reached:
            yield f"{path}/States/{name}: MISSING_TRANSITION_TARGET: no state leads here"

    def state(self, path: str, name: str, state: dict, visible: set[str]) -> Iterator[str]:
        """One state with all inside it."""
        kind = state.get("Type")
        if kind not in FIELDS:
            yield f"{path}/Type: there is no state type {kind!r}"
            return
        if len(name) > 80:
            yield f"{path}: a state name has at most 80 characters"
        if state.get("QueryLanguage", "JSONata") != "JSONata":
            yield f"{path}/QueryLanguage: the local cloud runs JSONata states only"
        yield from unknown(path, state, ANY_STATE | FIELDS[kind])
        for field in sorted(REQUIRED.get(kind, set()) - state.keys()):
            yield f"{path}/{field}: missing"
        if "Next" in FIELDS[kind] and ("Next" in state) == bool(state.get("End")):
            yield f"{path}: exactly one of Next and End"
        if kind == "Wait" and ("Seconds" in state) == ("Timestamp" in state):
            yield f"{path}: exactly one of Seconds and Timestamp"
        yield from self.handlers(path, state)
        yield from self.inside(path, state, visible)
        yield from expressions(path, state)
        if kind == "Task" and "Resource" in state:
            arguments = state.get("Arguments")
            yield from (f"{path}: {problem}" for problem in self.check_task(state["Resource"], arguments))

    def handlers(self, path: str, state: dict) -> Iterator[str]:
        """Choice rules, retriers and catchers."""
        for field, known in (("Choices", RULE), ("Retry", RETRIER), ("Catch", CATCHER)):
            entries = state.get(field, [])
            for index, entry in enumerate(entries):
                place = f"{path}/{field}/{index}"
                yield from unknown(place, entry, known)
                if field == "Choices" and not {"Condition", "Next"} <= entry.keys():
                    yield f"{place}: a rule has Condition and Next"
                names = entry.get("ErrorEquals", [])
                if field != "Choices" and not names:
                    yield f"{place}/ErrorEquals: missing"
                if "States.ALL" in names and (len(names) > 1 or index < len(entries) - 1):
                    yield f"{place}/ErrorEquals: States.ALL stands alone and in the last entry"

    def inside(self, path: str, state: dict, visible: set[str]) -> Iterator[str]:
        """The machines inside a Map or a Parallel."""
        if state["Type"] == "Map" and "ItemProcessor" in state:
            yield from self.machine(f"{path}/ItemProcessor", state["ItemProcessor"], PROCESSOR, visible)
        for index, branch in enumerate(state.get("Branches", [])):
            yield from self.machine(f"{path}/Branches/{index}", branch, PROCESSOR, visible)


def unknown(path: str, thing: dict, known: set[str]) -> Iterator[str]:
    """Fields that do not belong here."""
    for field in sorted(thing.keys() - known):
        yield f"{path}/{field}: unknown here, or not run by the local cloud"


def targets(state: dict) -> list[str | None]:
    """The names of the states that one state may lead to."""
    rules = [*state.get("Choices", []), *state.get("Catch", [])]
    return [state.get("Next"), state.get("Default"), *(rule.get("Next") for rule in rules)]


def assigned_names(state: dict) -> set[str]:
    """The variables that a state assigns."""
    places = [state, *state.get("Choices", []), *state.get("Catch", [])]
    return {name for place in places for name in place.get("Assign", {})}


def expressions(path: str, state: dict) -> Iterator[str]:
    """JSONata that does not parse, or reads what is not there at that place."""
    inner = ("ItemProcessor", "Branches")
    fields = {key: value for key, value in state.items() if key not in inner}
    for place, text in strings(path, fields):
        if not is_expression(text):
            if "{%" in text or "%}" in text:
                yield f"{place}: an expression is the whole string, from {{% to %}}"
            continue
        try:
            jsonata.Jsonata.jsonata(text[2:-2].strip())
        except Exception as error:
            yield f"{place}: INVALID_JSONATA_EXPRESSION: {error}"
        field = place.removeprefix(path).split("/")[1]
        has_result = field in ("Output", "Assign") and state["Type"] in ("Task", "Map", "Parallel")
        if RESULT.search(text) and not has_result:
            yield f"{place}: there is no $states.result here"
        if ERROR_OUTPUT.search(text) and field != "Catch":
            yield f"{place}: there is no $states.errorOutput here"


def strings(path: str, value: Any) -> Iterator[tuple[str, str]]:
    """Every string with its path."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, member in value.items():
            yield from strings(f"{path}/{key}", member)
    elif isinstance(value, list):
        for index, member in enumerate(value):
            yield from strings(f"{path}/{index}", member)
