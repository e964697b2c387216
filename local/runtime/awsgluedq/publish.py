"""Publishing a job's data quality result, so that GetDataQualityResult and ListDataQualityResults know it."""

from __future__ import annotations

import json
import os
import sys
import time
import urllib.error
import urllib.request
from typing import Any

import boto3

TIMEOUT_SECONDS = 30
# https://docs.aws.amazon.com/glue/latest/webapi/API_BatchGetDataQualityResult.html
MOST_RESULTS = 100


class PublishError(RuntimeError):
    """A result that could not be published. Whoever reads results must not take an older one for this run's."""


def publish(context: str, rules: list[dict[str, Any]], analyzers: list[dict[str, Any]], started: float) -> None:
    """Publish to the local cloud at AWS_ENDPOINT_URL, for the job and the run named in the job's arguments.

    AWS has no such operation in its API: Glue's own library does this inside the service. Raises PublishError.
    """
    endpoint = os.environ.get("AWS_ENDPOINT_URL")
    if not endpoint:
        raise PublishError("AWS_ENDPOINT_URL names no local cloud to publish the data quality result to")
    result = {
        "JobName": _argument("JOB_NAME"),
        "JobRunId": _argument("JOB_RUN_ID"),
        "EvaluationContext": context,
        "RuleResults": rules,
        "AnalyzerResults": analyzers,
        "StartedOn": started,
        "CompletedOn": time.time(),
    }
    request = urllib.request.Request(
        endpoint,
        data=json.dumps(result).encode(),
        headers={
            "Content-Type": "application/x-amz-json-1.1",
            "X-Amz-Target": "AWSGlue.PublishDataQualityResult",
            # Services are told apart by the credential scope; nothing here is secret.
            "Authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/glue/aws4_request, "
            "SignedHeaders=host, Signature=local",
        },
    )
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:
            answer.read()
    except urllib.error.HTTPError as error:
        raise PublishError(f"the data quality result was refused: {error.read().decode(errors='replace')}") from error
    except OSError as error:
        raise PublishError(f"the data quality result could not be published to {endpoint}: {error}") from error


def earlier_metrics(context: str) -> list[dict[str, float]]:
    """The metrics of the job's earlier results of an evaluation context, the oldest first.

    Rules look back at these: https://docs.aws.amazon.com/glue/latest/dg/dqdl.html#dqdl-dynamic-rules
    """
    glue = boto3.client("glue")
    listed, token = [], {}
    while True:
        page = glue.list_data_quality_results(Filter={"JobName": _argument("JOB_NAME")}, **token)
        listed += page["Results"]
        if "NextToken" not in page:
            break
        token = {"NextToken": page["NextToken"]}
    ids = [each["ResultId"] for each in sorted(listed, key=lambda each: each["StartedOn"])]
    found = []
    for start in range(0, len(ids), MOST_RESULTS):
        batch = glue.batch_get_data_quality_result(ResultIds=ids[start : start + MOST_RESULTS])
        found += [result for result in batch["Results"] if result.get("EvaluationContext", "") == context]
    return [_metrics(result) for result in found]


def _metrics(result: dict[str, Any]) -> dict[str, float]:
    judged = [*result.get("RuleResults", []), *result.get("AnalyzerResults", [])]
    return {name: value for each in judged for name, value in each.get("EvaluatedMetrics", {}).items()}


def _argument(name: str) -> str:
    """A job argument, given as `--NAME value` or `--NAME=value`. Raises PublishError if there is none."""
    for index, argument in enumerate(sys.argv):
        if argument.startswith(f"--{name}="):
            return argument.partition("=")[2]
        if argument == f"--{name}" and index + 1 < len(sys.argv):
            return sys.argv[index + 1]
    raise PublishError(f"a data quality result belongs to a job run, and the arguments have no --{name}")
