"""Evaluations in the form of the Glue API and of the frame that Glue's transform gives."""

from __future__ import annotations

from typing import Any

from local.dq.deequ import Outcome
from local.dq.engine import Evaluation

RULE_OUTCOMES_SCHEMA = (
    "Rule string, Outcome string, FailureReason string, EvaluatedMetrics map<string,double>, EvaluatedRule string"
)


def rule_results(evaluation: Evaluation) -> list[dict[str, Any]]:
    """RuleResults as in GetDataQualityResult, in the order of the ruleset.

    https://docs.aws.amazon.com/glue/latest/webapi/API_DataQualityRuleResult.html
    """
    return [
        {
            "Name": f"Rule_{number}",
            "Description": rule.text,
            "EvaluatedRule": rule.evaluated or rule.text,
            "Result": {True: "PASS", False: "FAIL", None: "ERROR"}[outcome.passed],
            **_message(outcome),
            "EvaluatedMetrics": outcome.metrics,
            **({"Labels": rule.labels} if rule.labels else {}),
        }
        for number, (rule, outcome) in enumerate(evaluation.rules, start=1)
    ]


def analyzer_results(evaluation: Evaluation) -> list[dict[str, Any]]:
    """AnalyzerResults as in GetDataQualityResult.

    https://docs.aws.amazon.com/glue/latest/webapi/API_DataQualityAnalyzerResult.html
    """
    return [
        {
            "Name": f"Analyzer_{number}",
            "Description": analyzer.text,
            **_message(outcome),
            "EvaluatedMetrics": outcome.metrics,
        }
        for number, (analyzer, outcome) in enumerate(evaluation.analyzers, start=1)
    ]


def score(results: list[dict[str, Any]]) -> float:
    """The share of rules that passed, 0 to 1; 1 for a ruleset of analyzers alone."""
    passed = sum(result["Result"] == "PASS" for result in results)
    return passed / len(results) if results else 1.0


def rule_outcomes(evaluation: Evaluation) -> list[tuple[str, str, str | None, dict[str, float], str]]:
    """Rows of the frame `ruleOutcomes`, of RULE_OUTCOMES_SCHEMA. A rule that could not be evaluated has failed."""
    return [
        (
            rule.text,
            "Passed" if outcome.passed else "Failed",
            outcome.message,
            outcome.metrics,
            rule.evaluated or rule.text,
        )
        for rule, outcome in evaluation.rules
    ]


def _message(outcome: Outcome) -> dict[str, str]:
    return {"EvaluationMessage": outcome.message} if outcome.message else {}
