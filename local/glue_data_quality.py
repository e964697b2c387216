"""Glue Data Quality: rulesets, evaluation runs on catalog tables, and results.

API: https://docs.aws.amazon.com/glue/latest/webapi/API_StartDataQualityRulesetEvaluationRun.html and its neighbours.
Runs are evaluated in one warm Spark process (local/dq); results of jobs come in by PublishDataQualityResult, an
operation that only the local cloud has.
"""

from __future__ import annotations

import json
import logging
import time
import uuid
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from local.cloud import ApiError, Cloud
from local.dq.results import score
from local.dq.rules import MAX_RULESET_CHARS, RulesetError
from local.dq.warm import EvaluatorError, WarmSpark

log = logging.getLogger(__name__)

DEFAULT_TIMEOUT_MINUTES = 2880
PAGE = 100
ENDED = frozenset({"SUCCEEDED", "FAILED", "TIMEOUT", "STOPPED"})
# What is stored of a ruleset beside what GetDataQualityRuleset tells.
INTERNAL = frozenset({"Tags", "ClientToken", "RuleCount", "DynamicRules"})
# https://docs.aws.amazon.com/glue/latest/webapi/API_GlueTable.html
TABLE_OPTIONS = frozenset({"pushDownPredicate", "catalogPartitionPredicate"})


def install(cloud: Cloud) -> None:
    """Plug Glue Data Quality into the local cloud."""
    warm = WarmSpark(cloud)
    cloud.on_stop(warm.stop)
    rulesets = Rulesets(cloud, warm)
    results = Results(cloud)
    runs = Runs(cloud, warm, rulesets, results)
    cloud.override_glue(rulesets.operations() | runs.operations() | results.operations())
    cloud.resource("AWS::Glue::DataQualityRuleset", rulesets.cfn_create, rulesets.cfn_update, rulesets.cfn_delete)
    if rulesets.stored:
        # A pipeline is deployed, so gates will come; without one, no JVM is started for nothing.
        warm.start()


class Rulesets:
    """The stored rulesets, each accepted by AWS's grammar."""

    def __init__(self, cloud: Cloud, warm: WarmSpark) -> None:
        self.stored: dict[str, dict[str, Any]] = cloud.keep("data_quality_rulesets", {})
        self._warm = warm

    def operations(self) -> dict[str, Any]:
        """Glue operations by name."""
        return {
            "CreateDataQualityRuleset": self.create,
            "UpdateDataQualityRuleset": self.update,
            "DeleteDataQualityRuleset": self.delete,
            "GetDataQualityRuleset": self.get,
            "ListDataQualityRulesets": self.list,
        }

    def create(self, request: dict[str, Any]) -> dict[str, Any]:
        name = _required(request, "Name")
        checked = self._checked(_required(request, "Ruleset"))
        before = self.stored.get(name)
        token = request.get("ClientToken")
        if before is not None and token and before.get("ClientToken") == token:
            return {"Name": name}
        if before is not None:
            raise ApiError("AlreadyExistsException", f"Ruleset {name} already exists.")
        kept = ("Name", "Ruleset", "Description", "TargetTable", "Tags", "ClientToken")
        self.stored[name] = {
            **{key: request[key] for key in kept if key in request},
            **checked,
            "CreatedOn": time.time(),
            "LastModifiedOn": time.time(),
        }
        return {"Name": name}

    def update(self, request: dict[str, Any]) -> dict[str, Any]:
        ruleset = self._find(_required(request, "Name"))
        if "Ruleset" in request:
            ruleset.update(self._checked(request["Ruleset"]))
        ruleset.update({key: request[key] for key in ("Ruleset", "Description") if key in request})
        ruleset["LastModifiedOn"] = time.time()
        return {key: ruleset[key] for key in ("Name", "Description", "Ruleset") if key in ruleset}

    def delete(self, request: dict[str, Any]) -> dict[str, Any]:
        name = _required(request, "Name")
        self._find(name)
        del self.stored[name]
        return {}

    def get(self, request: dict[str, Any]) -> dict[str, Any]:
        ruleset = self._find(_required(request, "Name"))
        return {key: value for key, value in ruleset.items() if key not in INTERNAL}

    def list(self, request: dict[str, Any]) -> dict[str, Any]:
        wanted = request.get("Filter", {})
        found = [ruleset for ruleset in self.stored.values() if _ruleset_matches(ruleset, wanted)]
        keys = ("Name", "Description", "CreatedOn", "LastModifiedOn", "TargetTable", "RuleCount")
        return _page("Rulesets", [{key: each[key] for key in keys if key in each} for each in found], request)

    def for_catalog(self, name: str) -> tuple[str, list[str]]:
        """A ruleset's DQDL, and those of its rules that a run on the catalog refuses. Raises EntityNotFoundException.

        https://docs.aws.amazon.com/glue/latest/dg/dqdl.html: dynamic rules are only supported in Glue ETL.
        """
        ruleset = self._find(name)
        return ruleset["Ruleset"], ruleset["DynamicRules"]

    def _find(self, name: str) -> dict[str, Any]:
        if name not in self.stored:
            raise ApiError("EntityNotFoundException", f"Ruleset {name} does not exist.")
        return self.stored[name]

    def _checked(self, text: str) -> dict[str, Any]:
        """What AWS's grammar finds in a ruleset. Raises InvalidInputException for what it does not take."""
        if not 1 <= len(text) <= MAX_RULESET_CHARS:
            raise ApiError("InvalidInputException", f"Ruleset must have 1 to {MAX_RULESET_CHARS} characters.")
        try:
            found = self._warm.parse(text)
        except RulesetError as error:
            raise ApiError("InvalidInputException", str(error)) from error
        return {"RuleCount": len(found["rules"]), "DynamicRules": found["dynamic"]}

    # AWS::Glue::DataQualityRuleset ------------------------------------------------------------------------------------

    def cfn_create(self, logical_id: str, properties: dict[str, Any], stack: str) -> tuple[str, dict[str, Any]]:
        name = properties.get("Name") or f"{stack}-{logical_id}-{uuid.uuid4().hex[:12]}"
        self.create({**properties, "Name": name})
        return name, {}

    def cfn_update(
        self, physical_id: str, _old: dict[str, Any], new: dict[str, Any], stack: str
    ) -> tuple[str, dict[str, Any]]:
        name = new.get("Name") or physical_id
        if name != physical_id:
            created = self.cfn_create(name, new, stack)
            self.cfn_delete(physical_id, {})
            return created
        if physical_id not in self.stored:
            return self.cfn_create(name, {**new, "Name": name}, stack)
        self.update({**new, "Name": name})
        return name, {}

    def cfn_delete(self, physical_id: str, _properties: dict[str, Any]) -> None:
        self.stored.pop(physical_id, None)


class Results:
    """The results of evaluation runs and of jobs."""

    def __init__(self, cloud: Cloud) -> None:
        self.stored: dict[str, dict[str, Any]] = cloud.keep("data_quality_results", {})

    def operations(self) -> dict[str, Any]:
        """Glue operations by name."""
        return {
            "GetDataQualityResult": self.get,
            "BatchGetDataQualityResult": self.batch_get,
            "ListDataQualityResults": self.list,
            "PublishDataQualityResult": self.publish,
        }

    def get(self, request: dict[str, Any]) -> dict[str, Any]:
        result_id = _required(request, "ResultId")
        if result_id not in self.stored:
            raise ApiError("EntityNotFoundException", f"Data quality result {result_id} does not exist.")
        return self.stored[result_id]

    def batch_get(self, request: dict[str, Any]) -> dict[str, Any]:
        wanted = _required(request, "ResultIds")
        return {
            "Results": [self.stored[each] for each in wanted if each in self.stored],
            "ResultsNotFound": [each for each in wanted if each not in self.stored],
        }

    def list(self, request: dict[str, Any]) -> dict[str, Any]:
        wanted = request.get("Filter", {})
        found = [result for result in self.stored.values() if _matches(result, wanted)]
        found.sort(key=lambda result: result["StartedOn"], reverse=True)
        keys = ("ResultId", "DataSource", "JobName", "JobRunId", "StartedOn")
        return _page("Results", [{key: each[key] for key in keys if key in each} for each in found], request)

    def publish(self, request: dict[str, Any]) -> dict[str, Any]:
        """Take the result of a job's EvaluateDataQuality."""
        about = {key: _required(request, key) for key in ("JobName", "JobRunId", "StartedOn", "CompletedOn")}
        about["EvaluationContext"] = request.get("EvaluationContext", "")
        return {"ResultId": self.add(request["RuleResults"], request.get("AnalyzerResults", []), about)}

    def add(self, rules: list[dict[str, Any]], analyzers: list[dict[str, Any]], about: dict[str, Any]) -> str:
        """Store a result and return its id."""
        result_id = f"dqresult-{uuid.uuid4().hex}"
        self.stored[result_id] = {
            "ResultId": result_id,
            **about,
            "Score": score(rules),
            "RuleResults": rules,
            "AnalyzerResults": analyzers,
        }
        return result_id


class Runs:
    """Evaluation runs of rulesets on catalog tables."""

    def __init__(self, cloud: Cloud, warm: WarmSpark, rulesets: Rulesets, results: Results) -> None:
        self._cloud = cloud
        self._warm = warm
        self._rulesets = rulesets
        self._results = results
        self.stored: dict[str, dict[str, Any]] = cloud.keep("data_quality_runs", {})
        for run in self.stored.values():
            if run["Status"] not in ENDED:
                _end(run, "FAILED", "the local cloud stopped while the run was going on")

    def operations(self) -> dict[str, Any]:
        """Glue operations by name."""
        return {
            "StartDataQualityRulesetEvaluationRun": self.start,
            "GetDataQualityRulesetEvaluationRun": self.get,
            "ListDataQualityRulesetEvaluationRuns": self.list,
            "CancelDataQualityRulesetEvaluationRun": self.cancel,
        }

    def start(self, request: dict[str, Any]) -> dict[str, Any]:
        names = _required(request, "RulesetNames")
        _required(request, "Role")
        rulesets = {name: self._rulesets.for_catalog(name) for name in names}
        tables = [_required(request, "DataSource"), *request.get("AdditionalDataSources", {}).values()]
        for table in tables:
            _table(table)
        if (run := self._started_before(request)) is not None:
            return {"RunId": run["RunId"]}
        run_id = f"dqrun-{uuid.uuid4().hex}"
        asked = ("DataSource", "Role", "NumberOfWorkers", "Timeout", "AdditionalRunOptions", "RulesetNames")
        self.stored[run_id] = run = {
            "RunId": run_id,
            "Status": "STARTING",
            "StartedOn": time.time(),
            "LastModifiedOn": time.time(),
            **{key: request[key] for key in (*asked, "AdditionalDataSources", "ClientToken") if key in request},
        }
        self._cloud.background(lambda: self._evaluate(run, rulesets))
        return {"RunId": run_id}

    def get(self, request: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in self._find(request).items() if key != "ClientToken"}

    def list(self, request: dict[str, Any]) -> dict[str, Any]:
        wanted = request.get("Filter", {})
        found = [run for run in self.stored.values() if _matches(run, wanted)]
        found.sort(key=lambda run: run["StartedOn"], reverse=True)
        keys = ("RunId", "Status", "StartedOn", "DataSource")
        return _page("Runs", [{key: each[key] for key in keys} for each in found], request)

    def cancel(self, request: dict[str, Any]) -> dict[str, Any]:
        run = self._find(request)
        if run["Status"] in ENDED:
            raise ApiError("InvalidInputException", f"Run {run['RunId']} has ended already: {run['Status']}.")
        was_running = run["Status"] == "RUNNING"
        _end(run, "STOPPED")
        if was_running:
            self._warm.interrupt()
        return {}

    def _find(self, request: dict[str, Any]) -> dict[str, Any]:
        run_id = _required(request, "RunId")
        if run_id not in self.stored:
            raise ApiError("EntityNotFoundException", f"Data quality evaluation run {run_id} does not exist.")
        return self.stored[run_id]

    def _started_before(self, request: dict[str, Any]) -> dict[str, Any] | None:
        """The run that an equal request with the same ClientToken has started."""
        token = request.get("ClientToken")
        for run in self.stored.values() if token else ():
            if run.get("ClientToken") != token:
                continue
            if any(run.get(key) != request.get(key) for key in ("DataSource", "RulesetNames", "AdditionalDataSources")):
                raise ApiError("ConflictException", "The ClientToken was used for a run with other parameters.")
            return run
        return None

    def _evaluate(self, run: dict[str, Any], rulesets: dict[str, tuple[str, list[str]]]) -> None:
        try:
            for name, (_, dynamic) in rulesets.items():
                if dynamic:
                    raise RulesetError(f"Ruleset {name}: dynamic rules are only supported in Glue ETL: {dynamic[0]}")
            texts = [text for text, _ in rulesets.values()]
            minutes = run.get("Timeout", DEFAULT_TIMEOUT_MINUTES)
            answers = self._warm.evaluate(_question(run, texts), minutes * 60, lambda: _running(run))
            ids = [self._store(run, name, answer) for name, answer in zip(rulesets, answers, strict=False)]
        except TimeoutError as error:
            _end(run, "TIMEOUT", f"The run timed out: {error}")
        except (EvaluatorError, RulesetError) as error:
            _end(run, "FAILED", str(error))
        except Exception as error:
            log.exception("data quality run %s", run["RunId"])
            _end(run, "FAILED", repr(error))
        else:
            if run["Status"] not in ENDED:
                run["ResultIds"] = ids
                _end(run, "SUCCEEDED")

    def _store(self, run: dict[str, Any], ruleset: str, answer: dict[str, Any]) -> str:
        about = {
            "DataSource": run["DataSource"],
            "RulesetName": ruleset,
            "RulesetEvaluationRunId": run["RunId"],
            "StartedOn": run["StartedOn"],
            "CompletedOn": time.time(),
        }
        result_id = self._results.add(answer["rules"], answer["analyzers"], about)
        if prefix := run.get("AdditionalRunOptions", {}).get("ResultsS3Prefix"):
            self._write(prefix, result_id)
        return result_id

    def _write(self, prefix: str, result_id: str) -> None:
        where = urlsplit(prefix)
        self._cloud.client("s3").put_object(
            Bucket=where.netloc,
            Key="/".join(part for part in (where.path.strip("/"), f"{result_id}.json") if part),
            Body=json.dumps(self._results.stored[result_id]).encode(),
            ContentType="application/json",
        )


def _question(run: dict[str, Any], texts: list[str]) -> dict[str, Any]:
    sources = run.get("AdditionalDataSources", {})
    method = run.get("AdditionalRunOptions", {}).get("CompositeRuleEvaluationMethod", "COLUMN")
    return {
        "table": _table(run["DataSource"]),
        "sources": {alias: _table(source) for alias, source in sources.items()},
        "rulesets": texts,
        "by_row": method == "ROW",
    }


def _table(source: dict[str, Any]) -> dict[str, str]:
    """A DataSource as the evaluation process takes it. Raises InvalidInputException."""
    table = source.get("GlueTable")
    if not table:
        raise ApiError("InvalidInputException", "A data source must name a GlueTable.")
    options = table.get("AdditionalOptions", {})
    if unknown := sorted(set(options) - TABLE_OPTIONS):
        raise ApiError("InvalidInputException", f"Unknown option of a GlueTable: {', '.join(unknown)}.")
    predicates = [f"({options[name]})" for name in sorted(options) if options[name]]
    return {
        "database": _required(table, "DatabaseName"),
        "table": _required(table, "TableName"),
        "predicate": " and ".join(predicates),
    }


def _running(run: dict[str, Any]) -> bool:
    """Mark a run as running, unless it was cancelled while it waited for its turn."""
    if run["Status"] in ENDED:
        return False
    run.update(Status="RUNNING", LastModifiedOn=time.time())
    return True


def _end(run: dict[str, Any], status: str, error: str | None = None) -> None:
    if run["Status"] in ENDED:
        return
    now = time.time()
    if error:
        run["ErrorString"] = error[:2048]
    run.update(CompletedOn=now, LastModifiedOn=now, ExecutionTime=int(now - run["StartedOn"]))
    run["Status"] = status


def _ruleset_matches(ruleset: dict[str, Any], wanted: dict[str, Any]) -> bool:
    checks = {
        "Name": lambda value: ruleset["Name"] == value,
        "Description": lambda value: ruleset.get("Description") == value,
        "TargetTable": lambda value: ruleset.get("TargetTable") == value,
        "CreatedBefore": lambda value: ruleset["CreatedOn"] < _seconds(value),
        "CreatedAfter": lambda value: ruleset["CreatedOn"] > _seconds(value),
        "LastModifiedBefore": lambda value: ruleset["LastModifiedOn"] < _seconds(value),
        "LastModifiedAfter": lambda value: ruleset["LastModifiedOn"] > _seconds(value),
    }
    return _all_hold(checks, wanted)


def _matches(item: dict[str, Any], wanted: dict[str, Any]) -> bool:
    """Whether a run or a result meets a Filter."""
    checks = {
        "DataSource": lambda value: item.get("DataSource") == value,
        "JobName": lambda value: item.get("JobName") == value,
        "JobRunId": lambda value: item.get("JobRunId") == value,
        "StartedAfter": lambda value: item["StartedOn"] > _seconds(value),
        "StartedBefore": lambda value: item["StartedOn"] < _seconds(value),
    }
    return _all_hold(checks, wanted)


def _all_hold(checks: dict[str, Any], wanted: dict[str, Any]) -> bool:
    if unknown := sorted(set(wanted) - set(checks)):
        raise ApiError("InvalidInputException", f"Unknown filter: {', '.join(unknown)}.")
    return all(checks[name](value) for name, value in wanted.items())


def _seconds(value: Any) -> float:
    """A time on the wire: a number from an SDK; text from a state machine, which writes times as ISO 8601."""
    if isinstance(value, int | float):
        return float(value)
    try:
        return datetime.fromisoformat(value).timestamp()
    except ValueError:
        raise ApiError("InvalidInputException", f"{value!r} is no time.") from None


def _page(name: str, items: list[dict[str, Any]], request: dict[str, Any]) -> dict[str, Any]:
    start = int(request.get("NextToken") or 0)
    end = start + int(request.get("MaxResults") or PAGE)
    page: dict[str, Any] = {name: items[start:end]}
    if end < len(items):
        page["NextToken"] = str(end)
    return page


def _required(request: dict[str, Any], name: str) -> Any:
    if request.get(name) in (None, "", [], {}):
        raise ApiError("InvalidInputException", f"{name} is missing.")
    return request[name]
