"""Step Functions: ministack's API around the interpreter of `local.asl`.

Histories of ended executions live in one file each, so that a save does not write them again.
"""

from __future__ import annotations

import json
import re
import threading
from pathlib import Path

from ministack.core.responses import error_response_json, json_response
from ministack.services import stepfunctions as ministack
from ministack.services.cloudformation import provisioners

from local.asl import MAX_BYTES, Execution
from local.asl_check import problems
from local.cloud import Cloud
from local.integrations import Integrations

NAME = re.compile(r"[A-Za-z0-9_.-]{1,80}")


def install(cloud: Cloud) -> None:
    """Run state machines with the interpreter of this package."""
    machines = StateMachines(cloud)
    machines.check_definitions()
    machines.run_executions()
    machines.keep_histories()


class StateMachines:
    """The parts of ministack's Step Functions that are replaced."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.integrations = Integrations(cloud)
        self.running: dict[str, Execution] = {}
        self.histories = cloud.state_dir / "histories"
        self.history_lock = threading.Lock()

    # Definitions --------------------------------------------------------------------------------------------------

    def check_definitions(self) -> None:
        """Refuse a definition with problems, over the API and in a stack, before anything runs."""
        ministack._validate_definition_jsonata = lambda text: "; ".join(self._problems(text)) or None
        ministack._validate_state_machine_definition = self._validate
        ministack._test_state = lambda _data: error_response_json(
            "UnknownOperationException", "the local cloud does not implement states:TestState", 400
        )
        definition_of = provisioners._sfn_definition

        def checked(properties: dict) -> str:
            definition = definition_of(properties)
            if found := self._problems(definition):
                raise ValueError("invalid state machine definition: " + "; ".join(found))
            return definition

        provisioners._sfn_definition = checked

    def _problems(self, definition: str) -> list[str]:
        return problems(definition, self.integrations.problems)

    def _validate(self, data: dict) -> tuple:
        found = self._problems(data.get("definition", ""))
        diagnostics = [
            {"severity": "ERROR", "code": "SCHEMA_VALIDATION_FAILED", "message": problem, "location": place}
            for problem in found
            for place in [problem.partition(": ")[0]]
        ]
        return json_response({"result": "FAIL" if found else "OK", "diagnostics": diagnostics, "truncated": False})

    # Executions ---------------------------------------------------------------------------------------------------

    def run_executions(self) -> None:
        """Start and stop executions here."""
        ministack._run_execution = self._run
        start, stop = ministack._start_execution, ministack._stop_execution

        def start_execution(data: dict) -> tuple:
            return self._refusal(data) or self._same_start(data) or start(data)

        def stop_execution(data: dict) -> tuple:
            answer = stop(data)
            if running := self.running.get(data.get("executionArn", "")):
                running.top.stop()
            return answer

        ministack._start_execution = start_execution
        ministack._stop_execution = stop_execution

    def _refusal(self, data: dict) -> tuple | None:
        text = data.get("input", "{}")
        try:
            json.loads(text)
        except ValueError as error:
            return error_response_json("InvalidExecutionInput", f"the input is no JSON: {error}", 400)
        if len(text.encode()) > MAX_BYTES:
            return error_response_json("InvalidExecutionInput", f"the input is over {MAX_BYTES} bytes", 400)
        if not NAME.fullmatch(data.get("name") or "x"):
            return error_response_json("InvalidName", f"no name of an execution: {data['name']}", 400)
        return None

    def _same_start(self, data: dict) -> tuple | None:
        """The same name and input of a running execution start nothing and give the first start's answer."""
        machine = data.get("stateMachineArn", "")
        execution = ministack._executions.get(f"{machine.replace(':stateMachine:', ':execution:')}:{data.get('name')}")
        if not execution or execution["status"] != "RUNNING" or execution["input"] != data.get("input", "{}"):
            return None
        return json_response({"executionArn": execution["executionArn"], "startDate": execution["startDate"]})

    def _run(self, arn: str) -> None:
        record = ministack._executions[arn]
        record["events"][0]["previousEventId"] = 0
        machine = dict(ministack._state_machines[record["stateMachineArn"]])
        execution = Execution(record, machine, self.integrations.call, ministack._SFN_WAIT_SCALE)
        self.running[arn] = execution
        try:
            execution.run()
        finally:
            del self.running[arn]
            self._store_history(record)
            ministack._emit_execution_status_event(record)
            self.cloud.save_now()

    # Histories ----------------------------------------------------------------------------------------------------

    def keep_histories(self) -> None:
        """Keep events of ended executions out of the state that is saved again and again."""
        load, history = ministack.load_persisted_state, ministack._get_execution_history

        def get_history(data: dict) -> tuple:
            record = ministack._executions.get(data.get("executionArn"))
            if not record or record["events"]:
                return history(data)
            with self.history_lock:
                record["events"] = json.loads(self._history_file(record).read_text(encoding="utf-8"))
                try:
                    return history(data)
                finally:
                    record["events"] = []

        def load_state(data: dict) -> None:
            load(data)
            for record in ministack._executions.all_values():
                if record.get("error") == "States.ServiceRestart":
                    self._abort(record)

        ministack.load_persisted_state = load_state
        ministack._get_execution_history = get_history

    def _abort(self, record: dict) -> None:
        """An execution that ran when the process ended cannot go on; ministack has marked it FAILED."""
        details = {"error": "LocalCloudStopped", "cause": "the local cloud stopped while the execution ran"}
        record.update(details, status="ABORTED")
        ministack._add_event(record, "ExecutionAborted", {"executionAbortedEventDetails": details})
        self._store_history(record)

    def _store_history(self, record: dict) -> None:
        path = self._history_file(record)
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        partial.write_text(json.dumps(record["events"]), encoding="utf-8")
        partial.replace(path)
        with self.history_lock:
            record["events"] = []

    def _history_file(self, record: dict) -> Path:
        machine = record["stateMachineArn"].rpartition(":")[2]
        return self.histories / machine / f"{record['name']}.json"
