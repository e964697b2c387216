"""Deequ's DQDL engine (com.amazon.deequ.dqdl), called rule by rule through py4j.

Its one-call entry point loses the order of rules, stops at the first rule it cannot evaluate and keeps the row-level
columns to itself; its parts below do not.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from local.dq.rules import Rule

# A Scala object without a name of its own: "org.apache.spark.sql.types.DecimalType$@2942b369".
_OBJECT = re.compile(r"[a-z.]+\.(\w+)\$@[0-9a-f]+")


@dataclass
class Outcome:
    """What the evaluation of one rule gave.

    `passed` is None where the rule could not be evaluated; `column` names the frame's boolean column that says for each
    row whether it keeps the rule (NULL: not applied to the row), None for rules about the dataset as a whole.
    """

    passed: bool | None
    message: str | None = None
    metrics: dict[str, float] = field(default_factory=dict)
    column: str | None = None


class Deequ:
    """The parts of Deequ that the engine uses, in Python's terms."""

    def __init__(self, spark: SparkSession) -> None:
        self.spark = spark
        self.jvm: Any = spark._jvm
        self._dqdl = self.jvm.com.amazon.deequ.dqdl
        self._java = self.jvm.scala.collection.JavaConverters

    def executable(self, rule: Rule) -> Any:
        """The rule as Deequ executes it; an UnsupportedExecutableRule where it cannot."""
        ruleset = getattr(self.jvm, "software").amazon.glue.dqdl.model.DQRuleset([rule.java])  # noqa: B009
        return self._dqdl.translation.DQDLRuleTranslator.toExecutableRules(ruleset).head()

    def check(self, rows: DataFrame, rules: list[Rule]) -> tuple[dict[Rule, Outcome], DataFrame]:
        """Evaluate rules of Deequ's checks together; returns the outcomes and `rows` with their row-level columns."""
        executor = self._dqdl.execution.executors.DeequRulesExecutor
        executables = self._seq([self.executable(rule) for rule in rules])
        result = executor.executeWithRowLevel(executables, rows._jdf)
        return self._outcomes(result.outcomes(), rules), DataFrame(result.rowLevelData(), self.spark)

    def compare(self, frame: DataFrame, rules: list[Rule], sources: dict[str, DataFrame]) -> dict[Rule, Outcome]:
        """Evaluate rules about the dataset as a whole that are no Deequ checks, most of them against other datasets."""
        executables = self._seq([self.executable(rule) for rule in rules])
        frames = self._map({alias: source._jdf for alias, source in sources.items()})
        outcomes = self._dqdl.execution.DQDLExecutor.executeRules(executables, frame._jdf, frames)
        return self._outcomes(outcomes, rules)

    def refer(
        self, rows: DataFrame, columns: list[str], reference: DataFrame, reference_columns: list[str], name: str
    ) -> DataFrame:
        """Add the column `name`: whether a row's `columns` are found in `reference`.

        Raises ValueError with Deequ's reason, such as a column that is missing.
        """
        found = self.jvm.com.amazon.deequ.comparison.ReferentialIntegrity.subsetCheckRowLevel(
            rows._jdf,
            self._seq(columns),
            reference._jdf,
            self._seq(reference_columns),
            self.jvm.scala.Option.apply(name),
        )
        if found.isLeft():
            raise ValueError(found.left().get().errorMessage())
        return DataFrame(found.right().get(), self.spark)

    def holds(self, condition: Any, value: float, rule: Rule) -> bool:
        """Whether a number meets a condition such as `> 0.9`."""
        return bool(condition.evaluate(float(value), rule.java, self._operands()))

    def numbers(self, rule: Rule) -> list[float]:
        """The operands of a rule's number condition."""
        assert rule.condition is not None
        evaluator = self._operands()
        return [float(evaluator.evaluate(rule.java, operand)) for operand in rule.condition.java.getOperands()]

    def _operands(self) -> Any:
        return getattr(self._dqdl.execution, "DefaultOperandEvaluator$").__getattr__("MODULE$")

    def _outcomes(self, outcomes: Any, rules: list[Rule]) -> dict[Rule, Outcome]:
        found = self._java.mapAsJavaMap(outcomes)
        return {rule: self._outcome(found.get(rule.java)) for rule in rules}

    def _outcome(self, java: Any) -> Outcome:
        row_level = java.rowLevelOutcome()
        has_column = row_level.getClass().getSimpleName() == "SingularColumn"
        reason = java.failureReason()
        metrics = dict(self._java.mapAsJavaMap(java.evaluatedMetrics()))
        return Outcome(
            passed=java.outcome().asString() == "Passed",
            message=_OBJECT.sub(r"\1", reason.get()) if reason.isDefined() else None,
            metrics={name: value for name, value in metrics.items() if math.isfinite(value)},
            column=row_level.columnName() if has_column else None,
        )

    def _seq(self, items: list[Any]) -> Any:
        return self.jvm.org.apache.spark.api.python.PythonUtils.toSeq(items)

    def _map(self, items: dict[str, Any]) -> Any:
        return self.jvm.org.apache.spark.api.python.PythonUtils.toScalaMap(items)
