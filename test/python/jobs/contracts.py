"""What a job's DAG, its SQL, the rules and the warehouse's tables say about the same columns, and where they differ.

Each contract takes the folder of a checkout and gives the lines of what is wrong: file, node, column and what to do.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import sqlglot
from sqlglot import exp

# What a row of a batch has besides the columns of its file.
OF_THE_BATCH = ("ingest_date", "beyond_last_column")
JUDGEMENT = ("DataQualityRulesPass", "DataQualityRulesFail", "DataQualityRulesSkip", "DataQualityEvaluationResult")
# Glue's types by the warehouse's.
TYPES = {"string": "varchar", "int": "integer"}


@dataclass(eq=False)
class Job:
    """A dataset's job: its DAG and what lies around it."""

    root: Path
    name: str
    tables: tuple[str, ...]

    @property
    def file(self) -> str:
        """The path of the DAG."""
        return f"glue-scripts/{self.name}.dag.json"

    @cached_property
    def nodes(self) -> dict[str, tuple[str, dict[str, Any]]]:
        """Type and body of each node by its id."""
        dag = json.loads((self.root / self.file).read_text())
        return {id_: next(iter(node.items())) for id_, node in dag.items()}

    def place(self, id_: str) -> str:
        """How a message begins that is about a node."""
        return f'{self.file}: node {id_} "{self.nodes[id_][1]["Name"]}"'

    def sql_file(self, id_: str) -> str:
        """The file with the query of a SparkSQL node, or the DAG's own."""
        include = re.fullmatch(r"\$\{file:(.*)\}", self.nodes[id_][1]["SqlQuery"])
        return include[1] if include else self.file

    # The caches below keep a job as long as the process lives, which is that of the tests.
    @cache  # noqa: B019
    def query(self, id_: str) -> exp.Select:
        """The query of a SparkSQL node."""
        text = self.nodes[id_][1]["SqlQuery"]
        if self.sql_file(id_) != self.file:
            text = (self.root / self.sql_file(id_)).read_text()
        tree = sqlglot.parse_one(text, read="spark")
        assert isinstance(tree, exp.Select), f"{self.place(id_)}: want one select"
        return tree

    @cached_property
    def rules(self) -> str:
        """The rules on rows, without comments."""
        return re.sub(r"#.*", "", (self.root / f"dqdl-rules/{self.name}_rows.dqdl").read_text())

    @cached_property
    def batch(self) -> list[str]:
        """The columns that the gate requires of a batch."""
        return re.findall(
            r'^ +ColumnExists "(\w+)"', (self.root / f"dqdl-rules/{self.name}_gate.dqdl").read_text(), re.M
        )

    def writer(self, table: str) -> str | None:
        """The node whose rows are staged as a table, or as the quarantine."""
        for kind, body in self.nodes.values():
            if kind == "S3DirectTarget" and body["Path"].endswith(f"/staging/{self.name}/{table}/"):
                return body["Inputs"][0]
        return None

    @cache  # noqa: B019
    def columns(self, id_: str) -> list[str]:
        """The columns that a node gives."""
        kind, body = self.nodes[id_]
        parents = [self.columns(parent) for parent in body.get("Inputs", [])]
        match kind:
            case "S3CatalogSource" if body["Table"] == f"batch_{self.name}":
                return [*self.batch, *OF_THE_BATCH]
            case "S3CatalogSource":
                return [*staging(self.root, body["Table"]), "ingest_date"]
            case "ApplyMapping":
                return [line["ToKey"] for line in body["Mapping"]]
            case "DropFields":
                dropped = {path[0] for path in body["Paths"]}
                return [column for column in parents[0] if column not in dropped]
            case "SparkSQL":
                return [column for column, _ in self.selected(id_)]
            case "SelectFromCollection":
                return [*parents[0], *JUDGEMENT]
            case _:
                return parents[0]

    @cache  # noqa: B019
    def selected(self, id_: str) -> list[tuple[str, Any]]:
        """The columns of a query, with the expressions that are not passed on by a star."""
        body, query = self.nodes[id_][1], self.query(id_)
        inputs = {alias["Alias"]: self.columns(alias["From"]) for alias in body["SqlAliases"]}
        columns: list[tuple[str, Any]] = []
        for item in query.expressions:
            if item.is_star:
                table = item.args.get("table") if isinstance(item, exp.Column) else None
                table = table or query.args["from_"].this
                columns += [(column, None) for column in inputs[table.name]]
            else:
                columns.append((item.alias_or_name, item))
        return columns

    def lineage(self, id_: str, column: str) -> set[str]:
        """A column, and all columns up to the batch that it is made from."""
        found = {column}
        kind, body = self.nodes[id_]
        if kind == "SparkSQL":
            selected = dict(self.selected(id_))
            open_ = [column]
            while open_:
                expression = selected.get(open_.pop())
                names = {each.name for each in expression.find_all(exp.Column)} if expression else set()
                open_ += sorted(names - found)
                found |= names
        for parent in body.get("Inputs", [])[:1]:
            for name in sorted(found):
                found |= self.lineage(parent, name)
        return found

    def about(self, column: str) -> str:
        """The rules on rows that are about a column."""
        return "\n".join(line for line in self.rules.splitlines() if re.match(rf' +\(?\w+ "{column}"', line))

    def mapping(self) -> tuple[str, list[dict[str, Any]]] | None:
        """The node that maps to the dataset's own table, and its lines."""
        id_ = self.writer(self.tables[0])
        if id_ is None or self.nodes[id_][0] != "ApplyMapping":
            return None
        return id_, self.nodes[id_][1]["Mapping"]


def jobs(root: Path) -> list[Job]:
    """The jobs of all datasets."""
    datasets = json.loads((root / "datasets.json").read_text())
    return [Job(root, dataset["name"], tuple(dataset["tables"])) for dataset in datasets]


def _table(root: Path, schema: str, table: str) -> dict[str, str]:
    text = (root / f"sql/tables/{table}.sql").read_text()
    for statement in sqlglot.parse(text, read="redshift"):
        created = statement.this if isinstance(statement, exp.Create) else None
        if isinstance(created, exp.Schema) and created.this.sql() == f"{schema}.{table}":
            definitions = [item for item in created.expressions if isinstance(item, exp.ColumnDef)]
            return {item.name: item.args["kind"].sql("redshift").lower() for item in definitions}
    raise AssertionError(f"sql/tables/{table}.sql has no {schema}.{table}")


def staging(root: Path, table: str) -> dict[str, str]:
    """Columns and types of a staging table."""
    return _table(root, "staging", table)


def tables_hold_what_jobs_publish(root: Path) -> list[str]:
    """Each table's columns are those that its job writes, in the same order: COPY goes by position."""
    wrong = []
    for job in jobs(root):
        for table in job.tables:
            writer = job.writer(table)
            if writer is None:
                wrong.append(f"{job.file}: no node of type S3DirectTarget writes to …/staging/{job.name}/{table}/")
                continue
            published, staged = job.columns(writer), list(staging(root, table))
            kept = [column for column in _table(root, "history", table) if column != "ingest_date"]
            file = f"sql/tables/{table}.sql"
            mapped = job.mapping()
            kinds = {line["ToKey"]: _warehouse_type(line) for line in mapped[1]} if mapped else {}
            for column in published:
                kind = kinds.get(column, "").replace("varchar", "varchar(bytes)")
                line = f"`{column} {kind}`" if kind and table == job.tables[0] else "it"
                for schema, columns in (("staging", staged), ("history", kept)):
                    if column not in columns:
                        wrong.append(
                            f"{job.place(writer)} publishes {column}, which {schema}.{table} lacks: "
                            f"add {line} to {file}, at the same place"
                        )
            for column in dict.fromkeys([*staged, *kept]):
                if column not in published:
                    wrong.append(f"{file} has {column}, which {job.place(writer)} does not publish: add or remove it")
            if sorted(published) == sorted(staged) and published != staged:
                order = ", ".join(published)
                wrong.append(f"{file}: COPY goes by position, and {job.place(writer)} publishes in the order {order}")
    return wrong


def _warehouse_type(line: dict[str, Any]) -> str:
    """The type that staging has for a line of a mapping."""
    kind: str = line["ToType"]
    return TYPES.get(kind, kind)


def tables_have_the_types_of_mappings(root: Path) -> list[str]:
    """COPY takes a column only as the type that the file holds."""
    wrong = []
    for job in jobs(root):
        if (found := job.mapping()) is None:
            continue
        id_, lines = found
        staged = staging(root, job.tables[0])
        for line in lines:
            wanted = _warehouse_type(line)
            kind = staged.get(line["ToKey"])
            if kind is not None and re.sub(r"\s|^(varchar).*", r"\1", kind) != wanted:
                wrong.append(
                    f"sql/tables/{job.tables[0]}.sql: {line['ToKey']} is {kind} in staging.{job.tables[0]}, and "
                    f"{line['ToType']} in {job.place(id_)}: want {wanted}"
                )
    return wrong


def columns_that_are_read_exist(root: Path) -> list[str]:
    """What mappings and queries read is given by the node before them, or required of the batch by the gate."""
    wrong = []
    for job in jobs(root):
        gate = f"dqdl-rules/{job.name}_gate.dqdl"
        for id_, (kind, body) in job.nodes.items():
            known = {column.lower() for parent in body.get("Inputs", []) for column in job.columns(parent)}
            read: list[str] = []
            if kind == "ApplyMapping":
                read = [line["FromPath"][0] for line in body["Mapping"]]
            if kind == "DropFields":
                read = [path[0] for path in body["Paths"]]
            if kind == "SparkSQL":
                query = job.query(id_)
                made = {item.alias.lower() for item in query.find_all(exp.Alias, exp.TableAlias)}
                made |= {each.name.lower() for alias in query.find_all(exp.TableAlias) for each in alias.columns}
                made |= {each.name.lower() for function in query.find_all(exp.Lambda) for each in function.expressions}
                known |= made
                read = [column.name for column in query.find_all(exp.Column) if not column.is_star]
            for column in dict.fromkeys(read):
                if column.lower() not in known:
                    wrong.append(
                        f"{job.place(id_)} reads {column}, which no node before it makes and which {gate} does not "
                        f'require of a batch: add ColumnExists "{column}" there if it is a column of the file'
                    )
    return wrong


def typed_columns_are_guarded(root: Path) -> list[str]:
    """A text that is no such number or date becomes NULL, so a rule must be about each column that is no text."""
    wrong = []
    for job in jobs(root):
        if (found := job.mapping()) is None:
            continue
        id_, lines = found
        parent = job.nodes[id_][1]["Inputs"][0]
        for line in lines:
            column, kind = line["FromPath"][0], line["ToType"]
            if kind == "string" or any(job.about(each) for each in job.lineage(parent, column)):
                continue
            text = sorted(job.lineage(parent, column) & set(job.batch))
            where = f""" where "trim({text[0]}) <> ''\"""" if text else ""
            wrong.append(
                f"{job.place(id_)} publishes {line['ToKey']} as {kind}, made from {column}, and no rule of "
                f"dqdl-rules/{job.name}_rows.dqdl is about it: a text that is no {kind} would become NULL unseen; "
                f'add one, like IsComplete "{column}"{where}'
            )
    return wrong


def texts_that_are_blank_become_null(root: Path) -> list[str]:
    """A text is published from the column that has NULL for blank, not as it came."""
    wrong = []
    for job in jobs(root):
        if (found := job.mapping()) is None:
            continue
        id_, lines = found
        for line in lines:
            column = line["FromPath"][0]
            if line["ToType"] == "string" and column in job.batch:
                wrong.append(
                    f"{job.place(id_)} publishes {line['ToKey']} from {column} as it came, blank and not NULL where "
                    f"there is no value: add nullif(trim({column}), '') as {column}_typed to "
                    f"glue-scripts/{job.name}/type_columns.sql and map from that"
                )
    return wrong


def quarantined_rows_are_as_they_came(root: Path) -> list[str]:
    """The quarantine holds the columns of the batch and the rules broken, no more."""
    wrong = []
    for job in jobs(root):
        writer = job.writer("quarantine")
        if writer is None:
            wrong.append(f"{job.file}: no node of type S3DirectTarget writes to …/staging/{job.name}/quarantine/")
            continue
        wanted, held = [*job.batch, *OF_THE_BATCH, "rules_broken"], job.columns(writer)
        for column in held:
            if column not in wanted:
                wrong.append(
                    f"{job.place(writer)}: a quarantined row would hold {column}, which the batch does not: add "
                    f'["{column}"] to Paths'
                )
        for column in wanted:
            if column not in held:
                wrong.append(f"{job.place(writer)}: a quarantined row would lack {column}: take it out of Paths")
    return wrong


def texts_fit_the_warehouse(root: Path) -> list[str]:
    """Redshift counts bytes: a text that is longer than its column is found on its row, not by the load."""
    wrong = []
    for job in jobs(root):
        for id_, (kind, _) in job.nodes.items():
            if kind == "SparkSQL" and dict(job.selected(id_)).get("row_lengths") is not None:
                wrong += _lengths(job, id_)
    return wrong


def _lengths(job: Job, id_: str) -> list[str]:
    """What the length check of a job, in the query of a node, lacks or has differently."""
    file = job.sql_file(id_)
    text = (job.root / file).read_text()
    whole = re.findall(r"octet_length\(`?(\w+)`?\) > (\d+)", text)
    items = re.findall(r"split\(`?(\w+)`?, ','\), name -> octet_length\(trim\(name\)\) > (\d+)", text)
    limits = {True: dict(items), False: dict(whole)}
    wrong = []
    for table in job.tables:
        writer = job.writer(table)
        for column, kind in staging(job.root, table).items():
            size = re.match(r"varchar\((\d+)\)", kind)
            if writer is None or size is None or column not in job.columns(writer):
                continue
            lineage, split = _sources(job, writer, column)
            # Rules on the form of a text, and on the values that it may have, leave it no room for more.
            if any(re.search(r" (matches|in) ", job.about(each)) for each in lineage):
                continue
            of_batch = sorted(lineage & set(job.batch))
            # The values of a column that is made of nothing in the batch stand in the query.
            if not of_batch:
                continue
            found = {limits[split][each] for each in lineage if each in limits[split]}
            missing = [each for each in of_batch if not limits[split].keys() & {each, f"{each}_typed"}]
            if found != {size[1]} or missing:
                name = (missing or of_batch)[0]
                has = f"has {', '.join(sorted(found))}" if found else "has no limit for it"
                wrong.append(
                    f"sql/tables/{table}.sql: {column} takes {size[1]} bytes, and row_lengths in {file} {has}: want "
                    f"octet_length({name}) > {size[1]}"
                )
    return wrong


def _sources(job: Job, id_: str, column: str) -> tuple[set[str], bool]:
    """The columns that a column is made from, and whether it is a part of a list that is split into rows."""
    kind, body = job.nodes[id_]
    if kind == "ApplyMapping":
        (line,) = [line for line in body["Mapping"] if line["ToKey"] == column]
        return job.lineage(body["Inputs"][0], line["FromPath"][0]), False
    views = job.query(id_).args.get("laterals") or []
    open_ = {each.name for each in dict(job.selected(id_))[column].find_all(exp.Column)}
    found: set[str] = set()
    split = False
    while open_:
        name = open_.pop()
        for view in [view for view in views if name in _made(view)]:
            split = True
            # A map gives its keys first, which are words of the query, and then its values.
            of_key = len(_made(view)) > 1 and _made(view)[0] == name
            open_ |= set() if of_key else {each.name for each in view.this.find_all(exp.Column)}
        found.add(name)
    return {each for name in found for each in job.lineage(body["Inputs"][0], name)}, split


def _made(view: exp.Lateral) -> list[str]:
    """The columns that a lateral view makes."""
    return [each.name for each in view.args["alias"].columns]


def at_most_one_node_of_custom_code(root: Path) -> list[str]:
    """What nodes of the canvas can say is not said in Python."""
    found = [job.place(id_) for job in jobs(root) for id_, (kind, _) in job.nodes.items() if kind == "CustomCode"]
    return [f"{place}: a further node of type CustomCode" for place in found[1:]]


CONTRACTS = [
    tables_hold_what_jobs_publish,
    tables_have_the_types_of_mappings,
    columns_that_are_read_exist,
    typed_columns_are_guarded,
    texts_that_are_blank_become_null,
    quarantined_rows_are_as_they_came,
    texts_fit_the_warehouse,
    at_most_one_node_of_custom_code,
]


def findings(root: Path) -> list[str]:
    """All lines of all contracts."""
    return [line for contract in CONTRACTS for line in contract(root)]
