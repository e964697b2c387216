"""Makes a batch of each dataset: real films, and an audience whose ratings are made up.

Writes OUT/movies/movies.csv, OUT/ratings/ratings.csv (.csv.gz with --gzip) and OUT/manifest.jsonl, which has one line
for each injected fault: dataset, file, line, row, column, fault, and the rule that must catch it. The ratings are
drawn from distributions, nobody gave them. Equal arguments give equal bytes.
"""

import argparse
import csv
import gzip
import io
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import islice
from pathlib import Path
from random import Random
from typing import TextIO

from audience import DAY, Audience, Film, Rating
from faults import BATCH_FAULTS, DUPLICATE, ROW_FAULTS, BatchFault, Fields, RowFault, assign

HERE = Path(__file__).resolve().parent
IDENTIFYING = {"movies": ("wikidata_qid", "imdb_id"), "ratings": Rating._fields}
KEYS = {"movies": ("imdb_id",), "ratings": ("user_id", "imdb_id", "rated_at")}
SMALL_FILMS, SMALL_RATINGS = 2_000, 3_000
KEY_COPIED_EVERY = 5  # rows, by the batch fault key_not_unique


@dataclass(frozen=True)
class Batch:
    """What is to be written of a dataset: `rows` of `columns`, some of them spoiled."""

    dataset: str
    columns: Sequence[str]
    number: int
    rows: Iterable[Sequence[str]]
    spoiled: dict[int, RowFault]
    faults: Sequence[BatchFault]


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line: exit code 0 on success, 2 on wrong usage."""
    parser = _parser()
    options = parser.parse_args(argv)
    try:
        make(options)
    except (ValueError, OSError) as error:
        parser.error(str(error))
    return 0


def make(options: argparse.Namespace) -> None:
    """Writes the batches and the manifest that `options` ask for."""
    batch_start = int(datetime(options.date.year, options.date.month, options.date.day, tzinfo=UTC).timestamp())
    options.out.mkdir(parents=True, exist_ok=True)
    with (options.out / "manifest.jsonl").open("w", encoding="ascii", newline="\n") as manifest:
        for batch in _batches(options, batch_start):
            path = options.out / batch.dataset / f"{batch.dataset}.csv{'.gz' if options.gzip else ''}"
            with _created(path) as file:
                _Writer(batch, f"{batch.dataset}/{path.name}", file, manifest).write(batch_start + DAY - 1)


def _batches(options: argparse.Namespace, batch_start: int) -> Iterator[Batch]:
    rng = Random(options.seed)
    rate = options.fault_rate if options.faults == "rows" else 0.0
    faults = _by_dataset(options.batch_fault)
    columns, films = _read_films(options.movies)
    if options.small:
        films, options.ratings = films[:SMALL_FILMS], SMALL_RATINGS
    spoiled = _assigned(rng, "movies", len(films), rate)
    yield Batch("movies", columns, len(films), films, spoiled, faults["movies"])

    # Ratings refer to films that come through: a spoiled film, or one of two with the same id, is unknown to them.
    lost = {index for index, fault in spoiled.items() if fault.rule != DUPLICATE}
    known = _known_films(columns, films, lost)
    added = _each(options.ratings, rate) * sum(fault.adds for fault in ROW_FAULTS["ratings"])
    number = options.ratings - added
    if number < 1:
        raise ValueError(f"--ratings: {options.ratings} are too few for faults in rows")
    audience = Audience(options.seed, number, known, batch_start)
    spoiled = _assigned(rng, "ratings", number, rate)
    yield Batch("ratings", Rating._fields, number, audience, spoiled, faults["ratings"])


def _by_dataset(chosen: Sequence[tuple[str, BatchFault]]) -> dict[str, list[BatchFault]]:
    """The faults of each batch; raises ValueError where two spoil one column, since the first would go unseen."""
    faults: dict[str, list[BatchFault]] = {dataset: [] for dataset in BATCH_FAULTS}
    taken: dict[tuple[str, str], str] = {}
    for dataset, fault in chosen:
        for column in (fault.column or "").split(", "):
            other = taken.setdefault((dataset, column), fault.name)
            if fault in faults[dataset] or other != fault.name:
                what = f"the column {column}" if column else "the number of rows"
                raise ValueError(f"--batch-fault: {other} and {fault.name} both spoil {what} of {dataset}")
        faults[dataset].append(fault)
    return faults


def _each(rows: int, rate: float) -> int:
    return max(1, round(rows * rate)) if rate else 0


def _assigned(rng: Random, dataset: str, rows: int, rate: float) -> dict[int, RowFault]:
    return assign(rng, ROW_FAULTS[dataset], rows, _each(rows, rate))


def _read_films(path: Path) -> tuple[list[str], list[list[str]]]:
    with _opened(path) as file:
        reader = csv.reader(file)
        columns = next(reader, [])
        if "imdb_id" not in columns:
            raise ValueError(f"{path}: no column imdb_id in its first line")
        return columns, list(reader)


def _known_films(columns: list[str], films: list[list[str]], lost: set[int]) -> list[Film]:
    key = columns.index("imdb_id")
    times = Counter(film[key] for film in films)

    def number(film: list[str], column: str) -> float | None:
        text = film[columns.index(column)] if column in columns else ""
        return float(text) if text else None

    return [
        Film(film[key], int(number(film, "rt_reviews") or 0), number(film, "rt_rating"))
        for index, film in enumerate(films)
        if times[film[key]] == 1 and index not in lost
    ]


class _Writer:
    """Writes one batch as CSV and its faults to the manifest."""

    def __init__(self, batch: Batch, name: str, file: TextIO, manifest: TextIO) -> None:
        self._batch, self._name, self._manifest = batch, name, manifest
        self._csv = csv.writer(file, lineterminator="\n")
        gone = {fault.column for fault in batch.faults if fault.name == "column_gone"}
        self._kept = [index for index, column in enumerate(batch.columns) if column not in gone]
        self._line = 1

    def write(self, batch_end: int) -> None:
        """Writes header and rows; `batch_end` is the batch's last second since 1970 UTC."""
        spoiled, columns = self._batch.spoiled, self._batch.columns
        self._csv.writerow([columns[index] for index in self._kept])
        for fault in self._batch.faults:
            self._note(None, None, fault)
        for index, row in enumerate(self._rows()):
            if index in spoiled and self._has(spoiled[index].column):
                self._write_spoiled(row, spoiled[index], batch_end, index)
            else:
                self._write_row(row)

    def _has(self, column: str) -> bool:
        return column not in self._batch.columns or self._batch.columns.index(column) in self._kept

    def _rows(self) -> Iterator[Sequence[str]]:
        rows = iter(self._batch.rows)
        for fault in self._batch.faults:
            if fault.name == "half_the_rows":
                rows = islice(rows, self._batch.number // 2)
            elif fault.name == "key_not_unique":
                rows = _with_copied_keys(rows, self._places(KEYS[self._batch.dataset]))
            elif fault.spoil is not None and fault.column is not None:
                rows = _with_column(rows, self._places([fault.column])[0], fault.spoil)
        return rows

    def _places(self, columns: Sequence[str]) -> list[int]:
        return [self._batch.columns.index(column) for column in columns]

    def _write_row(self, row: Sequence[str]) -> None:
        self._csv.writerow(row if len(self._kept) == len(row) else [row[index] for index in self._kept])
        self._line += 1

    def _write_spoiled(self, row: Sequence[str], fault: RowFault, batch_end: int, number: int) -> None:
        fields = dict(zip(self._batch.columns, row, strict=True))
        if fault.adds:
            self._write_row(row)
            if fault.spoils_original:
                self._note(self._line, fields, fault)
        fault.spoil(fields, batch_end, number)
        values = [fields[self._batch.columns[index]] for index in self._kept]
        for column in list(fields)[len(fields) + min(fault.fields, 0) :]:
            del fields[column]
        self._csv.writerow(values[: len(values) + min(fault.fields, 0)] + ["surplus"] * max(fault.fields, 0))
        self._line += 1
        self._note(self._line, fields, fault)

    def _note(self, line: int | None, fields: Fields | None, fault: RowFault | BatchFault) -> None:
        named = [name for name in IDENTIFYING[self._batch.dataset] if fields and name in fields]
        row = fields and {name: _as_read(fields[name]) for name in named}
        entry = {
            "dataset": self._batch.dataset,
            "file": self._name,
            "line": line,
            "row": row,
            "column": fault.column,
            "fault": fault.name,
            "rule": fault.rule,
        }
        self._manifest.write(json.dumps(entry) + "\n")


def _as_read(text: str) -> str:
    """A text as readers of UTF-8 see it, who put U+FFFD for a byte that is none."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _with_copied_keys(rows: Iterator[Sequence[str]], keys: Sequence[int]) -> Iterator[Sequence[str]]:
    before: Sequence[str] = ()
    for index, row in enumerate(rows):
        if index % KEY_COPIED_EVERY == 1:
            row = [before[at] if at in keys else value for at, value in enumerate(row)]
        before = row
        yield row


def _with_column(rows: Iterator[Sequence[str]], place: int, spoil: Callable[[str], str]) -> Iterator[Sequence[str]]:
    for row in rows:
        yield [spoil(value) if at == place else value for at, value in enumerate(row)]


@contextmanager
def _opened(path: Path) -> Iterator[TextIO]:
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8", newline="") as file:
        yield file  # type: ignore[misc]  # gzip.open in text mode gives a text file


@contextmanager
def _created(path: Path) -> Iterator[TextIO]:
    """A text file, compressed if its name says so; without the time of day in it, which would change its bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as plain:
        binary = gzip.GzipFile("", "wb", 6, plain, mtime=0) if path.suffix == ".gz" else plain
        # A lone surrogate is a byte that is no UTF-8: that is how the faults put one in.
        with io.TextIOWrapper(binary, encoding="utf-8", errors="surrogateescape", newline="") as text:
            yield text


def _batch_fault(text: str) -> tuple[str, BatchFault]:
    dataset, _, named = text.partition(":")
    for fault in BATCH_FAULTS.get(dataset, ()):
        if named in (fault.name, f"{fault.name}:{fault.column}"):
            return dataset, fault
    raise argparse.ArgumentTypeError(f"{text!r} is none of {', '.join(_batch_fault_names())}")


def _batch_fault_names() -> list[str]:
    """The faults as the option names them, each name with the columns it can be had for."""
    names: dict[str, list[str]] = {}
    for dataset, faults in BATCH_FAULTS.items():
        for fault in faults:
            names.setdefault(f"{dataset}:{fault.name}", []).append(fault.column or "")
    return [name if len(columns) == 1 else f"{name}[:{'|'.join(columns)}]" for name, columns in names.items()]


def _number(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of rows, 1 or more")
    return int(text)


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = 0.0
    if not 0 < rate <= 0.04:
        raise argparse.ArgumentTypeError(f"{text!r} is no share of rows, above 0 and up to 0.04")
    return rate


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no date of the form YYYY-MM-DD") from None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="make_sample.py",
        description="Makes a batch of each dataset: real films (CC0), and ratings that are made up, not observed.",
        epilog=f"""examples:
  python sample-data/make_sample.py --out /tmp/sample
  python sample-data/make_sample.py --out /tmp/spoiled --faults rows
  python sample-data/make_sample.py --out /tmp/gone --batch-fault movies:column_gone:title
  python sample-data/make_sample.py --out /tmp/big --ratings 10000000 --gzip

batch faults:
  {(chr(10) + "  ").join(_batch_fault_names())}
(half_the_rows is caught by a minimum that is written for 100,000 ratings)
""",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where to write; made if missing")
    parser.add_argument(
        "--date",
        type=_date,
        default=datetime.now(UTC).date(),
        metavar="YYYY-MM-DD",
        help="the batch's date, UTC: all ratings were given before it (default: today)",
    )
    parser.add_argument("--ratings", type=_number, default=100_000, metavar="N", help="rows (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="another seed, another audience (default: 1)")
    parser.add_argument(
        "--movies",
        type=Path,
        default=HERE / "movies.csv.gz",
        metavar="FILE",
        help="the films, CSV or CSV.gz with a header (default: those beside this script)",
    )
    parser.add_argument(
        "--faults", choices=("none", "rows"), default="none", help="spoil single rows of both datasets (default: none)"
    )
    parser.add_argument(
        "--fault-rate",
        type=_rate,
        default=0.0005,
        metavar="SHARE",
        help="of the rows, spoiled by each kind of fault, at least one (default: %(default)s)",
    )
    parser.add_argument(
        "--batch-fault",
        type=_batch_fault,
        action="append",
        default=[],
        metavar="DATASET:FAULT[:COLUMN]",
        help="spoil a whole batch; may be given several times, for columns of their own",
    )
    parser.add_argument(
        "--small",
        action="store_true",
        help=f"the first {SMALL_FILMS:,} films and {SMALL_RATINGS:,} ratings: enough for rules on rows, not for gates",
    )
    parser.add_argument("--gzip", action="store_true", help="write .csv.gz")
    return parser


if __name__ == "__main__":
    sys.exit(main())
