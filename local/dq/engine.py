"""Evaluates a DQDL ruleset on a DataFrame, as Glue Data Quality does.

Deequ is the engine. Around it stands what it lacks or judges unlike Glue's documentation: the order of rules,
thresholds, NULL in some conditions, `where` at row level, row-level results of some rule types, analyzers; and a rule
that cannot be evaluated is an error of its own instead of the whole ruleset's.
"""

from __future__ import annotations

import itertools
import logging
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from pyspark.errors import PySparkException
from pyspark.sql import Column, DataFrame, Row
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, NumericType, StringType

from local.dq import predicates
from local.dq.deequ import Deequ, Outcome
from local.dq.history import METRICS, History, HistoryError, Metrics, expectation, metric_of, static_condition
from local.dq.rules import ANOMALIES, Analyzer, Rule, Ruleset, is_dynamic, parse

log = logging.getLogger(__name__)

RULES_PASS = "DataQualityRulesPass"
RULES_FAIL = "DataQualityRulesFail"
RULES_SKIP = "DataQualityRulesSkip"
RESULT = "DataQualityEvaluationResult"
ROW_LEVEL_COLUMNS = (RULES_PASS, RULES_FAIL, RULES_SKIP, RESULT)

PRIMARY = "primary"

# About the dataset as a whole, and no Deequ checks.
COMPARED = frozenset({"RowCountMatch", "SchemaMatch", "DatasetMatch", "AggregateMatch", "ColumnNamesMatchPattern"})
# "Some rules cannot be supported in this feature because their overall outcome rely on thresholds or ratios."
# https://docs.aws.amazon.com/glue/latest/dg/dqdl.html#dqdl-syntax-composite-rules
NOT_BY_ROW = frozenset({"Completeness", "DatasetMatch", "ReferentialIntegrity", "Uniqueness"})

# Analyzers whose metrics (least and greatest) come with a rule of equality.
MEASURED_BY_EQUALS = ("ColumnValues", "ColumnLength")

CUSTOM_SQL = "CustomSql"
# https://docs.aws.amazon.com/glue/latest/dg/dqdl-rule-types-DetectAnomalies.html
WATCHED = frozenset({*METRICS, *MEASURED_BY_EQUALS})

NOT_MET = "Value: {} does not meet the constraint requirement!"


@dataclass(frozen=True)
class Evaluation:
    """What an evaluation gave: outcomes in the order of the ruleset, and each row with the rules it keeps and breaks.

    `rows` is lazy, like any DataFrame: what it costs is paid by whoever writes it. `judged`, which it is made from, has
    a boolean for each rule instead of texts: that is what to persist for several writers.
    """

    rules: list[tuple[Rule, Outcome]]
    analyzers: list[tuple[Analyzer, Outcome]]
    rows: DataFrame
    judged: DataFrame


def evaluate(
    frame: DataFrame,
    text: str,
    sources: Mapping[str, DataFrame] | None = None,
    by_row: bool = False,
    history: Callable[[], Sequence[Metrics]] | None = None,
    skip_filtered: bool = False,
) -> Evaluation:
    """Evaluate the ruleset `text` on `frame`.

    `sources` are further datasets by alias. `by_row` joins composite rules row by row instead of outcome by outcome
    (`compositeRuleEvaluation.method` = ROW). `history` gives the metrics of earlier evaluations, the oldest first, for
    rules that look back; it is called if there are any. `skip_filtered` lists rules whose `where` leaves a row out as
    skipped by it instead of passed (`rowLevelConfiguration.filteredRowLabel` = SKIPPED). Raises RulesetError for a
    ruleset that the grammar refuses.
    """
    deequ = Deequ(frame.sparkSession)
    ruleset = parse(deequ.jvm, text)
    run = _Run(deequ, frame.drop(*ROW_LEVEL_COLUMNS), dict(sources or {}))
    with run.views():
        if any(leaf.dynamic for rule in ruleset.rules for leaf in rule.leaves()):
            past = History(history()) if history is not None else None
            ruleset = replace(ruleset, rules=tuple(run.looking_back(rule, past) for rule in ruleset.rules))
        return run.evaluate(ruleset, by_row, skip_filtered)


class _Run:
    """One evaluation: the outcomes so far, and the rows with a boolean column for each rule judged so far."""

    def __init__(self, deequ: Deequ, frame: DataFrame, sources: dict[str, DataFrame]) -> None:
        self.deequ = deequ
        self.frame = frame
        self.rows = frame
        self.sources = sources
        self.outcomes: dict[Rule, Outcome] = {}
        # Rules whose outcome is the share of rows that keep them: counted together at the end, in one scan.
        self.by_compliance: list[Rule] = []
        # DetectAnomalies rules, with what they look back at.
        self.anomalies: dict[Rule, History] = {}
        self._known = {name.lower() for name in frame.columns}
        self._columns = itertools.count()

    @contextmanager
    def views(self) -> Iterator[None]:
        """The names that CustomSql statements know the datasets by."""
        named = {PRIMARY: self.frame, **self.sources}
        for name, frame in named.items():
            frame.createOrReplaceTempView(f"`{name}`")
        try:
            yield
        finally:
            for name in named:
                self.frame.sparkSession.catalog.dropTempView(name)

    def evaluate(self, ruleset: Ruleset, by_row: bool, skip_filtered: bool) -> Evaluation:
        analyzers = [(analyzer, self._measuring(analyzer)) for analyzer in ruleset.analyzers]
        leaves = [leaf for rule in ruleset.rules for leaf in rule.leaves()]
        self._judge([*leaves, *(rule for _, rules in analyzers for rule in rules)])
        for rule in ruleset.rules:
            self._compose_column(rule, by_row)
        self._measure_compliance()
        for rule, past in self.anomalies.items():
            self._compare_with_past(rule, past)
        for rule in ruleset.rules:
            self._compose_outcome(rule, by_row)
        return Evaluation(
            rules=[(rule, self.outcomes[rule]) for rule in ruleset.rules],
            analyzers=[(analyzer, self._measured(rules)) for analyzer, rules in analyzers],
            rows=self._row_level(ruleset.rules, skip_filtered),
            judged=self.rows,
        )

    # Rules that look back ---------------------------------------------------------------------------------------------

    def looking_back(self, rule: Rule, past: History | None) -> Rule:
        """The rule with numbers in place of what looks back; itself, with its outcome, if that cannot be done."""
        if rule.nested:
            return replace(rule, nested=tuple(self.looking_back(part, past) for part in rule.nested))
        if not rule.dynamic:
            return rule
        if past is None:
            self.outcomes[rule] = Outcome(None, "The rule needs the results of earlier runs, which are not given here")
            return rule
        try:
            return self._watching(rule, past) if rule.type == ANOMALIES else self._static(rule, past)
        except HistoryError as error:
            self.outcomes[rule] = Outcome(None, str(error))
            return rule

    def _static(self, rule: Rule, past: History) -> Rule:
        text = rule.text
        if rule.threshold is not None and is_dynamic(rule.threshold):
            metric = _compliance_metric(rule) or metric_of(rule.type, rule.columns)
            text = _replace_last(text, rule.threshold, static_condition(rule.threshold, metric, past))
        if rule.condition is not None and is_dynamic(rule.condition.java):
            metric = metric_of(rule.type, rule.columns)
            text = _replace_last(text, rule.condition.java, static_condition(rule.condition.java, metric, past))
        (static,) = parse(self.deequ.jvm, f"Rules = [ {text} ]").rules
        return replace(static, text=rule.text, labels=rule.labels, evaluated=static.text)

    def _watching(self, rule: Rule, past: History) -> Rule:
        """The rule whose metrics a DetectAnomalies rule watches."""
        kind, *columns = (value for _, value in sorted(rule.parameters.items()))
        kind = CUSTOM_SQL if kind.lower() == CUSTOM_SQL.lower() else kind
        if kind not in WATCHED:
            raise HistoryError(f"{ANOMALIES} does not know {kind}; known are {', '.join(sorted(WATCHED))}")
        measured = _measuring_text(" ".join([kind, *(f'"{name}"' for name in columns)]))
        (static,) = parse(self.deequ.jvm, f"Rules = [ {measured} ]").rules
        watching = replace(static, text=rule.text, labels=rule.labels)
        self.anomalies[watching] = past
        return watching

    def _compare_with_past(self, rule: Rule, past: History) -> None:
        """The outcome of a DetectAnomalies rule. As long as there is not enough to compare with, it passes."""
        outcome = self.outcomes[rule]
        metrics = {name: value for name, value in outcome.metrics.items() if not name.endswith("Compliance")}
        if not metrics:
            self.outcomes[rule] = Outcome(None, outcome.message or "The metric cannot be measured")
            return
        strange = []
        for name, value in metrics.items():
            expected = expectation(past.values(name))
            if not expected.holds(value):
                strange.append(f"{name} is {value:g}, expected {expected.lower:g} to {expected.upper:g}")
        self.outcomes[rule] = Outcome(not strange, "\n".join(strange) or None, metrics)

    # Simple rules -----------------------------------------------------------------------------------------------------

    def _judge(self, rules: Iterable[Rule]) -> None:
        """Evaluate simple rules, each by the means that fits it."""
        means: dict[Rule, Callable[[Rule], None] | None] = {}
        for rule in dict.fromkeys(rules):
            if rule in self.outcomes:
                continue
            if (refused := self._refused(rule)) is not None:
                self.outcomes[rule] = refused
            else:
                means[rule] = self._means(rule)
        # First, while the rows have no columns but the data's.
        self._check([rule for rule, judge in means.items() if judge is None])
        for rule, judge in means.items():
            if judge is not None:
                self._guarded(rule, judge)

    def _refused(self, rule: Rule) -> Outcome | None:
        """The outcome of a rule that cannot be evaluated on this frame or not at all, else None."""
        missing = [name for name in rule.columns if name.strip("`").lower() not in self._known]
        if missing and rule.type != "ColumnExists":
            return Outcome(False, f"Input data does not include column {missing[0]}!")
        if rule.where is not None:
            try:
                self.frame.where(rule.where)
            except PySparkException as error:
                return Outcome(None, f"The where clause is invalid: {_first_line(error)}")
        return self._refused_by_deequ(rule)

    def _refused_by_deequ(self, rule: Rule) -> Outcome | None:
        try:
            executable = self.deequ.executable(rule)
        except Exception as error:
            return Outcome(None, f"The rule cannot be read: {_first_line(error)}")
        if executable.getClass().getSimpleName() != "UnsupportedExecutableRule":
            return None
        reason = executable.reason()
        detail = f": {reason.get()}" if reason.isDefined() else ""
        return Outcome(None, f"Rule type {rule.type} is not supported by the local evaluation{detail}")

    def _means(self, rule: Rule) -> Callable[[Rule], None] | None:
        """How to judge a rule that is not left to Deequ's checks."""
        if rule.type == "CustomSql" and (rule.condition is None or rule.condition.kind != "number"):
            return self._custom_rows
        means = {
            "ColumnLength": self._predicate,
            "ColumnDataType": self._predicate,
            "DataFreshness": self._predicate,
            "ReferentialIntegrity": self._refer,
        }
        return means.get(rule.type, self._compare if rule.type in COMPARED else None)

    def _guarded(self, rule: Rule, judge: Callable[[Rule], None]) -> None:
        try:
            judge(rule)
        except Exception as error:
            log.debug("%s", rule.text, exc_info=True)
            self.outcomes[rule] = Outcome(None, _first_line(error))

    def _check(self, rules: list[Rule]) -> None:
        """Deequ's checks, all in one go so that they share scans; one by one if one of them breaks the rest."""
        if not rules:
            return
        try:
            outcomes, rows = self.deequ.check(self.rows, rules)
        except Exception as error:
            log.debug("%d rules in one go", len(rules), exc_info=True)
            if len(rules) == 1:
                self.outcomes[rules[0]] = Outcome(None, _first_line(error))
                return
            for rule in sorted(rules, key=lambda rule: rule.type != "ColumnCount"):
                self._check([rule])
            return
        known = set(rows.columns)
        judged = {}
        for rule, outcome in outcomes.items():
            if outcome.column not in known:
                outcome.column = None
            if (column := self._take_check(rule, outcome)) is not None and outcome.column:
                judged[outcome.column] = column
        self.rows = rows.withColumns(judged) if judged else rows

    def _take_check(self, rule: Rule, outcome: Outcome) -> Column | None:
        """Take the outcome of a check; returns its column where it has to be mended."""
        self.outcomes[rule] = outcome
        if rule.type == "ColumnExists" and rule.columns[0].strip("`").lower() in self._known:
            # Deequ looks for the name as it is written.
            self.outcomes[rule] = replace(
                outcome, passed=True, message=None, metrics=dict.fromkeys(outcome.metrics, 1.0)
            )
        if outcome.column is None:
            return None
        if (share := _measured_share(rule, outcome)) is not None:
            self._settle(rule, share)
        elif _judged_by_rows(rule) or not outcome.metrics:
            self.by_compliance.append(rule)
        judged = predicates.column(outcome.column)
        if rule.type == "ColumnValues":
            judged = predicates.values(rule, judged)
        if rule.type == "IsPrimaryKey":
            judged = judged & predicates.complete(rule)
        return self._within(rule, judged)

    def _predicate(self, rule: Rule) -> None:
        judge = predicates.length if rule.type == "ColumnLength" else predicates.translated
        name = self._new_column()
        self.rows = self.rows.withColumn(name, self._within(rule, judge(self.deequ, rule)))
        self._take_column(rule, name)

    def _custom_rows(self, rule: Rule) -> None:
        name = self._new_column()
        kept = self.frame.sparkSession.sql(rule.parameters["CustomSqlStatement"])
        self.rows = predicates.same_rows(self.rows, kept, name)
        self._take_column(rule, name)

    def _refer(self, rule: Rule) -> None:
        executable = self.deequ.executable(rule)
        alias = executable.referenceDatasetAlias()
        other = self._source(alias)
        name = self._new_column()
        columns, others = _strings(executable.primaryColumns()), _strings(executable.referenceColumns())
        self.rows = self.deequ.refer(self.rows, columns, other, others, name)
        self._take_column(rule, name)

    def _compare(self, rule: Rule) -> None:
        for alias in _sources(rule):
            self._source(alias)
        self.outcomes.update(self.deequ.compare(self.frame, [rule], self.sources))

    def _source(self, alias: str) -> DataFrame:
        if alias not in self.sources:
            raise ValueError(f"{alias} is not among the additional data sources")
        return self.sources[alias]

    def _take_column(self, rule: Rule, name: str) -> None:
        self.outcomes[rule] = Outcome(None, column=name)
        self.by_compliance.append(rule)

    def _new_column(self) -> str:
        return f"__rule_{next(self._columns)}"

    def _within(self, rule: Rule, value: Column) -> Column:
        """A rule with `where` says nothing about the rows that the clause leaves out."""
        return F.when(F.expr(rule.where), value) if rule.where is not None else value

    # Composite rules --------------------------------------------------------------------------------------------------
    # https://docs.aws.amazon.com/glue/latest/dg/dqdl.html#dqdl-syntax-composite-rules

    def _compose_column(self, rule: Rule, by_row: bool) -> str | None:
        if not rule.nested:
            return self.outcomes[rule].column
        if rule in self.outcomes:
            return self.outcomes[rule].column
        columns = [self._compose_column(part, by_row) for part in rule.nested]
        whole = self.outcomes[rule] = Outcome(None)
        if all(columns):
            whole.column = self._new_column()
            self.rows = self.rows.withColumn(whole.column, _join(rule.operator, [name for name in columns if name]))
            if by_row:
                self.by_compliance.append(rule)
        return whole.column

    def _compose_outcome(self, rule: Rule, by_row: bool) -> Outcome:
        whole = self.outcomes[rule]
        if not rule.nested:
            return whole
        parts = [self._compose_outcome(part, by_row) for part in rule.nested]
        refused = [leaf.text for leaf in rule.leaves() if leaf.type in NOT_BY_ROW or leaf.threshold is not None]
        if by_row and refused:
            whole.passed, whole.column = None, None
            whole.message = f"{refused[0]} cannot be part of a composite rule that is evaluated row by row"
            return whole
        whole.metrics = {name: value for part in parts for name, value in part.metrics.items()}
        if any(part.passed is None for part in parts):
            whole.passed = None
        elif whole.passed is None:
            whole.passed = (all if rule.operator == "AND" else any)(part.passed for part in parts)
        messages = [part.message for part in parts if part.message]
        whole.message = None if whole.passed else "\n".join(messages) or whole.message
        return whole

    # Compliance -------------------------------------------------------------------------------------------------------

    def _measure_compliance(self) -> None:
        judged = [(rule, name) for rule in dict.fromkeys(self.by_compliance) if (name := self.outcomes[rule].column)]
        if not judged:
            return
        try:
            found = self._aggregate(judged)
        except Exception as error:
            log.debug("compliance", exc_info=True)
            if len(judged) == 1:
                self.outcomes[judged[0][0]] = Outcome(None, _first_line(error))
                self.rows = self.rows.drop(judged[0][1])
                return
            raise
        for index, (rule, _) in enumerate(judged):
            every, kept = found[f"all_{index}"], found[f"kept_{index}"]
            self._settle(rule, kept / every if every else 1.0)
            for offset, name in enumerate(_further_metrics(rule)):
                value = found[f"more_{index}_{offset}"]
                if value is not None:
                    self.outcomes[rule].metrics[name] = float(value)

    def _aggregate(self, judged: list[tuple[Rule, str]]) -> Row:
        wanted = []
        for index, (rule, name) in enumerate(judged):
            wanted.append(F.count(predicates.column(name)).alias(f"all_{index}"))
            wanted.append(F.count(F.when(predicates.column(name), 1)).alias(f"kept_{index}"))
            for offset, value in enumerate(_further_metrics(rule).values()):
                wanted.append(value(self._within(rule, F.lit(True))).alias(f"more_{index}_{offset}"))
        found = self.rows.agg(*wanted).first()
        assert found is not None
        return found

    def _settle(self, rule: Rule, compliance: float) -> None:
        outcome = self.outcomes[rule]
        metric = _compliance_metric(rule)
        if metric:
            outcome.metrics[metric] = compliance
        if outcome.passed is not None and not _judged_by_rows(rule):
            return
        limit = rule.threshold
        if rule.type == "ReferentialIntegrity" and rule.condition is not None:
            limit = rule.condition.java
        outcome.passed = self.deequ.holds(limit, compliance, rule) if limit is not None else compliance == 1.0
        outcome.message = None if outcome.passed else NOT_MET.format(compliance)

    # Results ----------------------------------------------------------------------------------------------------------

    def _row_level(self, rules: Iterable[Rule], skip_filtered: bool) -> DataFrame:
        """The data with four columns beside it, as in
        https://docs.aws.amazon.com/glue/latest/dg/tutorial-data-quality.html

        A rule passes the rows that its `where` leaves out, unless they are to be skipped:
        https://docs.aws.amazon.com/glue/latest/dg/dqdl.html#dqdl-filtering-data-in-dqdl
        """
        kept, broken, skipped = [], [], []
        passed = F.lit(True)
        for rule in dict.fromkeys(rules):
            name, text = self.outcomes[rule].column, F.lit(rule.text)
            if name is None:
                skipped.append(text)
                continue
            judged = predicates.column(name)
            not_broken = F.coalesce(judged, F.lit(True))
            kept.append(F.when(judged if skip_filtered else not_broken, text))
            broken.append(F.when(~judged, text))
            if skip_filtered:
                skipped.append(F.when(judged.isNull(), text))
            passed = passed & not_broken
        data = [predicates.column(name) for name in self.frame.columns]
        lists = [_texts(kept).alias(RULES_PASS), _texts(broken).alias(RULES_FAIL), _texts(skipped).alias(RULES_SKIP)]
        # Not by the size of a list: who asks for the result alone need not have the lists made.
        result = F.when(passed, "Passed").otherwise("Failed").alias(RESULT)
        return self.rows.select(*data, *lists, result)

    # Analyzers --------------------------------------------------------------------------------------------------------

    def _measuring(self, analyzer: Analyzer) -> list[Rule]:
        """Rules that measure what an analyzer reports; Deequ's DQDL engine leaves analyzers out."""
        if analyzer.type == "AllStatistics":
            name = analyzer.parameters["TargetColumn"]
            numeric = self._is_numeric(name)
            of_numbers = ["ColumnValues", "Entropy", "Mean", "StandardDeviation", "Sum"]
            own = of_numbers if numeric else ["ColumnLength"]
            texts = ["RowCount", "ColumnCount", *(f'{kind} "{name}"' for kind in ("Completeness", "Uniqueness", *own))]
        elif analyzer.type == "ColumnValues" and not self._is_numeric(analyzer.parameters["TargetColumn"]):
            # "Computes Minimum ColumnLength and Maximum ColumnLength for non-numeric columns."
            # https://docs.aws.amazon.com/glue/latest/dg/dqdl.html#dqdl-analyzers
            texts = [f'ColumnLength "{analyzer.parameters["TargetColumn"]}"']
        else:
            texts = [analyzer.text]
        conditions = ", ".join(_measuring_text(text) for text in texts)
        return list(parse(self.deequ.jvm, f"Rules = [ {conditions} ]").rules)

    def _is_numeric(self, name: str) -> bool:
        types = {field.name.lower(): field.dataType for field in self.frame.schema}
        return isinstance(types.get(name.strip("`").lower()), NumericType)

    def _measured(self, rules: list[Rule]) -> Outcome:
        parts = [self.outcomes[rule] for rule in rules]
        metrics = {
            name: value for part in parts for name, value in part.metrics.items() if not name.endswith("Compliance")
        }
        reasons = [part.message for part in parts if not part.metrics and part.message]
        return Outcome(bool(metrics) or None, "\n".join(reasons) or None, metrics)


def _sources(rule: Rule) -> list[str]:
    """The datasets that a rule compares the primary one with."""
    if (alias := rule.parameters.get("ReferenceDatasetAlias")) is not None:
        return [alias]
    expressions = (value for name, value in rule.parameters.items() if name.startswith("AggregateExpression"))
    named = (re.search(r"\(\s*([^.()]+)\.", expression) for expression in expressions)
    return [match[1].strip() for match in named if match is not None and match[1].strip() != PRIMARY]


def _measuring_text(metric: str) -> str:
    """A rule that measures a metric such as `Completeness "name"`; whether it passes is of no interest."""
    return f"{metric} {'= 0' if metric.startswith(MEASURED_BY_EQUALS) else '> -1'}"


def _replace_last(text: str, condition: Any, by: str) -> str:
    """A rule's text with another condition: the last one that reads like it, as a parameter may read so too."""
    before, _, after = text.rpartition(condition.getFormattedCondition())
    return f"{before}{by}{after}"


def _judged_by_rows(rule: Rule) -> bool:
    """Whether the verdict on the dataset is drawn from the share of rows that keep the rule, not taken from Deequ."""
    return rule.threshold is not None or _mended(rule)


def _mended(rule: Rule) -> bool:
    """Whether Deequ's verdict on rows needs mending, so that its verdict on the dataset and its metrics do too."""
    if rule.type == "IsPrimaryKey":
        return True
    if rule.type != "ColumnValues" or rule.condition is None:
        return False
    # Deequ: NULL passes `not between` of dates; a blank text fails `not matches`; a NULL is neither in nor out of a
    # list with EMPTY in it.
    keywords = rule.condition.keywords & {"EMPTY", "WHITESPACES_ONLY"}
    return rule.condition.operator in ("NOT_BETWEEN", "NOT_MATCHES") or bool(keywords)


def _measured_share(rule: Rule, outcome: Outcome) -> float | None:
    """The share of rows that keep a rule with a threshold, where Deequ has measured it: that saves a scan."""
    if rule.threshold is None or rule.type != "ColumnValues" or _mended(rule):
        return None
    target = rule.parameters["TargetColumn"]
    shares = (outcome.metrics.get(f"Column.{target}.{name}") for name in ("PatternMatch", "ColumnValues.Compliance"))
    return next((share for share in shares if share is not None), None)


def _further_metrics(rule: Rule) -> dict[str, Callable[[Column], Column]]:
    """Metrics that a rule reports beside its compliance: aggregates of a column, given which rows count."""

    def of(aggregate: Callable[[Column], Column], value: Column) -> Callable[[Column], Column]:
        return lambda counts: aggregate(F.when(counts, value))

    if rule.type == "ColumnLength":
        name = rule.parameters["TargetColumn"]
        length = F.coalesce(F.length(predicates.column(name)), F.lit(0))
        return {f"Column.{name}.MinimumLength": of(F.min, length), f"Column.{name}.MaximumLength": of(F.max, length)}
    if rule.type == "IsPrimaryKey":
        return {
            f"Column.{name}.Completeness": of(F.avg, predicates.column(name).isNotNull().cast("double"))
            for name in rule.columns
        }
    return {}


def _compliance_metric(rule: Rule) -> str | None:
    """The name of the share of rows that keep a rule, as Glue names it.

    https://docs.aws.amazon.com/glue/latest/dg/dqdl-rule-types.html
    """
    target = rule.parameters.get("TargetColumn", "")
    names = {
        "ColumnValues": f"Column.{target}.ColumnValues.Compliance",
        "ColumnLength": f"Column.{target}.LengthCompliance",
        "ColumnDataType": f"Column.{target}.ColumnDataType.Compliance",
        "DataFreshness": f"Column.{target}.DataFreshness.Compliance",
        "CustomSql": "Dataset.*.CustomSQL.Compliance",
    }
    if rule.type == "ReferentialIntegrity":
        alias = rule.parameters["ReferenceDatasetColumns"].strip('"').split(".")[0]
        return f"Column.{alias}.ReferentialIntegrity"
    return names.get(rule.type)


def _join(operator: str | None, columns: list[str]) -> Column:
    joined = predicates.column(columns[0])
    for name in columns[1:]:
        joined = joined & predicates.column(name) if operator == "AND" else joined | predicates.column(name)
    return joined


def _texts(texts: list[Column]) -> Column:
    return F.array_compact(F.array(*texts)) if texts else F.array().cast(ArrayType(StringType()))


def _strings(seq: object) -> list[str]:
    return [seq.apply(index) for index in range(seq.size())]  # type: ignore[attr-defined]


def _first_line(error: BaseException) -> str:
    java = getattr(error, "java_exception", None)
    text = (java.getMessage() or java.toString()) if java is not None else str(error)
    return (text.strip().splitlines() or [type(error).__name__])[0]
