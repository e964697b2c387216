"""EvaluateDataQuality, with the signatures of Glue's own.

https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-crawler-pyspark-transforms-EvaluateDataQuality.html
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from typing import Any

from awsglue.dynamicframe import DynamicFrame, DynamicFrameCollection
from pyspark import StorageLevel
from pyspark.sql import DataFrame

from awsgluedq.publish import earlier_metrics, publish
from local.dq.engine import Evaluation, evaluate
from local.dq.results import RULE_OUTCOMES_SCHEMA, analyzer_results, rule_outcomes, rule_results

KEPT = StorageLevel.MEMORY_AND_DISK


class EvaluateDataQuality:
    """Evaluates a DQDL ruleset on a frame."""

    DATA_QUALITY_RULE_OUTCOMES_KEY = "ruleOutcomes"
    ROW_LEVEL_OUTCOMES_KEY = "rowLevelOutcomes"
    ORIGINAL_DATA_KEY = "originalData"

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> DynamicFrame:
        """Call the transform: `EvaluateDataQuality.apply(frame=…, ruleset=…, publishing_options=…)`."""
        return cls()(*args, **kwargs)

    def __call__(
        self,
        frame: DynamicFrame | Mapping[str, DynamicFrame],
        ruleset: str,
        publishing_options: Mapping[str, Any] | None = None,
        transformation_ctx: str = "",
    ) -> DynamicFrame:
        """Evaluate the ruleset and give the frame of rule outcomes."""
        primary, sources = _primary(frame, {})
        evaluation = _evaluate(primary, ruleset, sources, publishing_options or {}, {})
        return _outcomes(evaluation, primary)

    def process_rows(
        self,
        frame: DynamicFrame | Mapping[str, DynamicFrame],
        ruleset: str,
        publishing_options: Mapping[str, Any] | None = None,
        additional_options: Mapping[str, Any] | None = None,
        additional_data_sources: Mapping[str, DynamicFrame] | None = None,
    ) -> DynamicFrameCollection:
        """Evaluate the ruleset and give rule outcomes, row-level outcomes and the original data as a collection.

        Raises RulesetError for a ruleset that the grammar refuses, and PublishError if the result should be published
        and could not be.
        """
        primary, sources = _primary(frame, additional_data_sources or {})
        evaluation = _evaluate(primary, ruleset, sources, publishing_options or {}, additional_options or {})
        # Each sink behind this node would judge the rows anew, with a shuffle for each uniqueness rule.
        evaluation.judged.persist(KEPT)
        outcomes = _outcomes(evaluation, primary)
        if prefix := (publishing_options or {}).get("resultsS3Prefix"):
            # A line of JSON for each rule: the form of AWS's own files is not documented.
            outcomes.toDF().write.mode("append").json(prefix)
        frames = {
            self.ORIGINAL_DATA_KEY: primary,
            self.DATA_QUALITY_RULE_OUTCOMES_KEY: outcomes,
            self.ROW_LEVEL_OUTCOMES_KEY: _dynamic(evaluation.rows, primary, self.ROW_LEVEL_OUTCOMES_KEY),
        }
        return DynamicFrameCollection(frames, primary.glue_ctx)


def _primary(
    frame: DynamicFrame | Mapping[str, DynamicFrame], sources: Mapping[str, DynamicFrame]
) -> tuple[DynamicFrame, dict[str, DataFrame]]:
    """The frame to evaluate, and the further ones by alias: Glue Studio gives all of them as one map, primary first."""
    if isinstance(frame, Mapping):
        (_, primary), *others = frame.items()
        sources = {**dict(others), **sources}
        frame = primary
    return frame, {alias: source.toDF() for alias, source in sources.items()}


def _evaluate(
    frame: DynamicFrame,
    ruleset: str,
    sources: Mapping[str, DataFrame],
    publishing: Mapping[str, Any],
    additional: Mapping[str, Any],
) -> Evaluation:
    started = time.time()
    # On AWS `performanceTuning.caching` leaves this to the author. Deequ scans its input three times and more, and here
    # the input is CSV, split and typed anew each time: with both frames kept, a job of five sinks takes half the time.
    data = frame.toDF().persist(KEPT)
    by_row = additional.get("compositeRuleEvaluation.method") == "ROW"
    skip_filtered = additional.get("rowLevelConfiguration.filteredRowLabel") == "SKIPPED"
    context = str(publishing.get("dataQualityEvaluationContext", ""))
    evaluation = evaluate(data, ruleset, sources, by_row, lambda: earlier_metrics(context), skip_filtered)
    for rule, outcome in evaluation.rules:
        if outcome.passed is None:
            print(f"WARN: not evaluated: {rule.text}: {outcome.message}", file=sys.stderr)
    if _is_true(publishing.get("enableDataQualityResultsPublishing")):
        publish(
            context=context,
            rules=rule_results(evaluation),
            analyzers=analyzer_results(evaluation),
            started=started,
        )
    return evaluation


def _is_true(value: Any) -> bool:
    return str(value).lower() == "true"


def _outcomes(evaluation: Evaluation, frame: DynamicFrame) -> DynamicFrame:
    spark = frame.glue_ctx.spark_session
    outcomes = spark.createDataFrame(rule_outcomes(evaluation), RULE_OUTCOMES_SCHEMA).coalesce(1)
    return _dynamic(outcomes, frame, EvaluateDataQuality.DATA_QUALITY_RULE_OUTCOMES_KEY)


def _dynamic(data: DataFrame, like: DynamicFrame, name: str) -> DynamicFrame:
    return DynamicFrame.fromDF(data, like.glue_ctx, name)
