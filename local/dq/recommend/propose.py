"""A ruleset that data pass, each rule with a comment that says why it stands there.

Deequ's suggestions say which rules there are; the profile gives the numbers, and a margin that a next delivery of the
same kind will keep.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from local.dq.recommend.profile import MOST_VALUES, Profile

BATCH, ROWS = "batch", "rows"
MARGIN = 10  # standard errors of a mean; more than that is no chance
SLACK = 0.5  # of the span of values, beyond the greatest and least
FEWEST = 30  # rows from which a share, a mean or a range says something


@dataclass(frozen=True)
class Proposal:
    """A rule, why it is proposed, and its column; `part` says whether it is about the batch or about rows."""

    rule: str
    why: str
    part: str
    column: str | None = None


def propose(profiles: Sequence[Profile], rows: int, doubled: bool) -> list[Proposal]:
    """Rules for data of these columns; `doubled`: some rows are equal."""
    # A name with a line break in it cannot stand in a rule that people read.
    sayable = [each for each in profiles if each.name.isprintable()]
    known = [each for each in sayable if each.kind != "nested" and each.filled]
    found = [*_whole(sayable, rows, doubled)]
    for part in (_of_batch, _of_rows):
        found += [proposal for each in known for proposal in part(each)]
    return found


def described(each: Profile) -> str:
    """A column in one line, for people; ASCII, since a visual job's ruleset must be."""
    share = f"a value in {each.filled:,} of {_counted(each.rows, 'row')}"
    if each.kind == "nested":
        return f"{ascii_only(each.name)}: {each.type}; rules cannot look into it"
    if not each.filled:
        return f"{ascii_only(each.name)}: empty; nothing is known of it"
    # Many are estimated, unless they are all.
    about = "" if each.distinct <= MOST_VALUES or each.unique else "about "
    parts = [f"{ascii_only(each.name)}: {each.type}", share, f"{about}{each.distinct:,} distinct"]
    if each.low is not None and each.kind != "text":
        parts.append(f"{each.low} to {each.high}")
    if each.kind == "text":
        parts.append(f"{each.shortest:,} to {_counted(each.longest, 'character')}")
    return ", ".join(parts)


def ascii_only(text: str) -> str:
    """A text on one line, in ASCII."""
    return json.dumps(text)[1:-1].replace('\\"', '"')


def quoted(text: str) -> str:
    """A text as DQDL writes it."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _whole(profiles: Sequence[Profile], rows: int, doubled: bool) -> Iterator[Proposal]:
    least = rows // 2
    yield Proposal(
        f"RowCount > {least}", f"{_counted(rows, 'row')} came; fewer than half would be a broken delivery.", BATCH
    )
    for each in profiles:
        yield Proposal(f"ColumnExists {quoted(each.name)}", "", BATCH, each.name)
    if not doubled and rows > 1 and not any(each.key for each in profiles):
        statement = "select count(*) - count(distinct struct(*)) from primary"
        yield Proposal(f'CustomSql "{statement}" = 0', "No two rows are equal, and no column alone is a key.", BATCH)


def _of_batch(each: Profile) -> Iterator[Proposal]:
    name = quoted(each.name)
    if not each.full and each.rows >= FEWEST:
        suggested = each.suggestions.get("RetainCompletenessRule")
        share = _lower(each.filled / each.rows, each.rows, suggested.share() if suggested else None)
        why = f"{each.filled / each.rows:.1%} of the rows have a value; a column that runs dry has fewer."
        if share > 0 and each.kind == "text" and each.present != each.filled:
            rule = f'ColumnValues {name} matches "^.*[^ ].*$" with threshold >= {share}'
            yield Proposal(rule, why, BATCH, each.name)
        elif share > 0:
            yield Proposal(f"Completeness {name} >= {share}", why, BATCH, each.name)
    if _measured(each) and each.low != each.high and each.rows >= FEWEST and "HasMean" in each.suggestions:
        mean, error = float(each.mean or 0), float(each.deviation or 0) / math.sqrt(each.filled)
        margin = max(MARGIN * error, 0.05 * abs(mean), 1e-6)
        low, high = _number(_down(mean - margin)), _number(_up(mean + margin))
        why = f"The mean is {_number(mean)}; {MARGIN} standard errors away from it, the unit may have changed."
        yield Proposal(f"Mean {name} between {low} and {high}", why, BATCH, each.name)
    if _days(each) and each.high is not None and str(each.high)[:10] <= _today().isoformat():
        column = "`" + each.name.replace("`", "``") + "`"
        rule = f"CustomSql {quoted(f'select count(*) from primary where to_date({column}) > current_date()')} = 0"
        yield Proposal(rule, f"The latest day is {each.high}: none lies in the future.", BATCH, each.name)


def _of_rows(each: Profile) -> Iterator[Proposal]:
    yield from _presence(each)
    if each.kind in ("whole", "number"):
        yield from _range(each)
    if each.kind == "text":
        yield from _text(each)
    if each.kind == "date" and each.high is not None and _day(each.high) <= _today():
        rule = f"ColumnValues {quoted(each.name)} <= (now() + 1 days){_where(each)}"
        yield Proposal(rule, f"The latest is {each.high}: none lies in the future.", ROWS, each.name)


def _presence(each: Profile) -> Iterator[Proposal]:
    name = quoted(each.name)
    if each.full and each.kind == "text":
        why = "Each row has a text; a missing one has the length 0, as a blank one of a CSV has."
        yield Proposal(f"ColumnLength {name} > 0", why, ROWS, each.name)
    elif each.full and "CompleteIfCompleteRule" in each.suggestions:
        yield Proposal(f"IsComplete {name}", "Each row has a value.", ROWS, each.name)
    if each.key:
        yield Proposal(f"IsUnique {name}", f"All {each.distinct:,} values differ: it may be a key.", ROWS, each.name)


def _range(each: Profile) -> Iterator[Proposal]:
    name = quoted(each.name)
    natural = each.low is not None and float(each.low) >= 0 and "NonNegativeNumbersRule" in each.suggestions
    if natural and each.key:
        yield Proposal(f"ColumnValues {name} >= 0", "None is negative; a key has no other range.", ROWS, each.name)
    if each.low is None or not _measured(each):
        return
    if each.filled < FEWEST or each.low == each.high:
        # Too little is known of a span.
        if natural:
            why = f"None of {_counted(each.filled, 'value')} is negative."
            yield Proposal(f"ColumnValues {name} >= 0{_where(each)}", why, ROWS, each.name)
        return
    low, high = float(each.low), float(each.high)
    span = max(high - low, abs(high) * 0.1, 1.0)
    least, most = _down(low - SLACK * span), _up(high + SLACK * span)
    seen = f"The values are {each.low} to {each.high}"
    if natural and least <= 0:
        yield Proposal(f"ColumnValues {name} >= 0{_where(each)}", f"{seen}, none is negative.", ROWS, each.name)
        rule = f"ColumnValues {name} <= {_number(most)}{_where(each)}"
        yield Proposal(rule, f"{seen}; half of that span above them is left free.", ROWS, each.name)
        return
    rule = f"ColumnValues {name} between {_number(least)} and {_number(most)}{_where(each)}"
    yield Proposal(rule, f"{seen}; half of that span is left free on either side.", ROWS, each.name)


def _text(each: Profile) -> Iterator[Proposal]:
    name = quoted(each.name)
    if listable(each):
        listed = ", ".join(quoted(value) for value in each.values)
        why = f"{each.filled:,} rows have these {len(each.values)} values and no other."
        yield Proposal(f"ColumnValues {name} in [{listed}]{_where(each)}", why, ROWS, each.name)
    elif each.form:
        why = f"All {each.filled:,} texts have this form."
        yield Proposal(f"ColumnValues {name} matches {quoted(each.form)}{_where(each)}", why, ROWS, each.name)
    elif each.filled >= FEWEST:
        most = _number(_up(2 * each.longest))
        why = f"The longest has {_counted(each.longest, 'character')}; twice that is left free."
        yield Proposal(f"ColumnLength {name} <= {most}", why, ROWS, each.name)


def listable(each: Profile) -> bool:
    """Whether a column's values are a list that people would keep: a few, each of them often, and readable.

    One value alone does not tell what else there may be.
    """
    often = each.filled >= 5 * len(each.values)
    return len(each.values) > 1 and often and all(value.isprintable() for value in each.values)


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _where(each: Profile) -> str:
    """The clause that leaves rows without a value to the rules that ask for one."""
    if each.full:
        return ""
    column = "`" + each.name.replace("`", "``") + "`"
    clause = f"trim({column}) <> ''" if each.kind == "text" else f"{column} is not null"
    return f" where {quoted(clause)}"


def _measured(each: Profile) -> bool:
    """Whether a column's numbers measure something: of a key, the next delivery brings others."""
    if each.kind not in ("whole", "number") or each.key or each.deviation is None:
        return False
    return all(end is not None and math.isfinite(float(end)) for end in (each.low, each.high))


def _days(each: Profile) -> bool:
    return each.kind == "text" and each.filled > 0 and each.days == each.filled


def _lower(share: float, rows: int, suggested: float | None) -> float:
    """A share that a next delivery of this size keeps: three standard errors lower, or what Deequ suggests."""
    least = share - 3 * math.sqrt(share * (1 - share) / rows)
    least = min(least, suggested) if suggested is not None else least
    return max(0.0, math.floor(least * 100) / 100)


def _up(value: float) -> float:
    """The next greater number of three digits."""
    return -_down(-value)


def _down(value: float) -> float:
    """The next smaller number of three digits."""
    if value == 0 or not math.isfinite(value):
        return value
    step = 10 ** (math.floor(math.log10(abs(value))) - 2)
    return round(math.floor(value / step) * step, 12)


def _number(value: float) -> str:
    """A number as DQDL takes it: without an exponent."""
    if value == int(value):
        return str(int(value))
    return f"{value:.6f}".rstrip("0") if abs(value) >= 1e-6 else f"{value:.18f}".rstrip("0")


def _today() -> date:
    return datetime.now(UTC).date() + timedelta(days=1)


def _day(value: Any) -> date:
    return value.date() if isinstance(value, datetime) else value
