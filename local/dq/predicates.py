"""What a rule says about a single row, where Deequ says it wrongly or only for the dataset as a whole.

Each predicate is a boolean Spark column without NULL.
"""

from __future__ import annotations

from collections.abc import Callable

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from local.dq.deequ import Deequ
from local.dq.rules import NULL_PASSES, Rule

COMPARE: dict[str, Callable[[Column, list[float]], Column]] = {
    "GREATER_THAN": lambda value, than: value > than[0],
    "GREATER_THAN_EQUAL_TO": lambda value, than: value >= than[0],
    "LESS_THAN": lambda value, than: value < than[0],
    "LESS_THAN_EQUAL_TO": lambda value, than: value <= than[0],
    "EQUALS": lambda value, than: value == than[0],
    "NOT_EQUALS": lambda value, than: value != than[0],
    # DQDL's between excludes both ends.
    "BETWEEN": lambda value, than: (value > than[0]) & (value < than[1]),
    "NOT_BETWEEN": lambda value, than: (value <= than[0]) | (value >= than[1]),
    "IN": lambda value, than: value.isin(than),
    "NOT_IN": lambda value, than: ~value.isin(than),
}


def column(name: str) -> Column:
    """A column by its name, whatever characters are in it; Spark resolves it without regard to case."""
    return F.col("`" + name.strip("`").replace("`", "``") + "`")


def length(deequ: Deequ, rule: Rule) -> Column:
    """ColumnLength: a NULL has the length 0.

    https://docs.aws.amazon.com/glue/latest/dg/dqdl-rule-types-ColumnLength.html (Deequ leaves NULLs out.)
    """
    assert rule.condition is not None
    value = F.coalesce(F.length(column(rule.parameters["TargetColumn"])), F.lit(0))
    return COMPARE[rule.condition.operator](value, deequ.numbers(rule))


def complete(rule: Rule) -> Column:
    """IsPrimaryKey's second half: no column of the key is NULL. (Deequ forgets it for keys of several columns.)"""
    present = F.lit(True)
    for name in rule.columns:
        present = present & column(name).isNotNull()
    return present


def translated(deequ: Deequ, rule: Rule) -> Column:
    """The expression that Deequ itself judges rows by, for rule types that it reports on the dataset alone."""
    return F.coalesce(Column(deequ.executable(rule).outcomeExpression()), F.lit(False))


def values(rule: Rule, judged: Column) -> Column:
    """ColumnValues as `judged` by Deequ, with the NULLs as Glue judges them.

    A NULL fails every operator but `!=` and `not in`, unless the condition names NULL.
    https://docs.aws.amazon.com/glue/latest/dg/dqdl-rule-types-ColumnValues.html
    """
    if rule.condition is None:
        return judged
    if rule.condition.operator == "NOT_MATCHES":
        return _unlike(rule)
    passes = rule.condition.operator in NULL_PASSES
    judged = F.coalesce(judged, F.lit(passes))
    if rule.condition.operator == "NOT_BETWEEN":
        return judged & column(rule.parameters["TargetColumn"]).isNotNull()
    return judged


def _unlike(rule: Rule) -> Column:
    """`not matches`: what `matches` does not take, which is any text without a match of some length."""
    assert rule.condition is not None
    target, (pattern,) = column(rule.parameters["TargetColumn"]), rule.condition.java.getOperands()
    found = F.regexp_extract(target.cast("string"), pattern.getOperand(), 0)
    return F.when(target.isNull(), False).otherwise(found == "")


def same_rows(rows: DataFrame, kept: DataFrame, name: str) -> DataFrame:
    """Add the column `name`: whether a row is among those that a CustomSql statement `kept`.

    Raises ValueError if the statement gives columns that the rows do not have. Deequ joins by a condition that Spark
    can only evaluate pair by pair, and doubles a row for each equal row kept; NULL-safe equality makes it a hash join.
    """
    known = {each.lower() for each in rows.columns}
    foreign = [each for each in kept.columns if each.lower() not in known]
    if foreign or not kept.columns:
        raise ValueError(f"the statement may only give columns of the primary dataset, not {', '.join(foreign)}")
    keys = [f"{name}_{index}" for index in range(len(kept.columns))]
    marked = kept.distinct().toDF(*keys).withColumn(name, F.lit(True))
    equal = F.lit(True)
    for each, key in zip(kept.columns, keys, strict=True):
        equal = equal & column(each).eqNullSafe(F.col(key))
    return rows.join(marked, equal, "left").withColumn(name, F.coalesce(F.col(name), F.lit(False))).drop(*keys)
