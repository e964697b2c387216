"""Redshift SQL for DuckDB: parse it as Redshift does, refuse what Redshift refuses, translate the rest.

sqlglot reads the statement in Redshift's dialect. It accepts more than Redshift does, so what it accepts is checked
again here: statements, clauses, types and functions. Rules are from the Redshift Database Developer Guide:
https://docs.aws.amazon.com/redshift/latest/dg/cm_chap_SQLCommandRef.html
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass, field
from functools import lru_cache

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError, SqlglotError, TokenError
from sqlglot.tokenizer_core import Token, TokenType

from local import redshift_super

# sqlglot warns of statements that it does not know; here they are errors.
logging.getLogger("sqlglot").setLevel(logging.ERROR)

DEFAULT_VARCHAR = 256
MAX_VARCHAR = 65_535


class SqlError(Exception):
    """A statement that Redshift would answer with `ERROR: <text>`."""


@dataclass
class TableColumn:
    """A column of a `create table`: its Redshift type as written, and what DuckDB is told."""

    name: str
    redshift_type: str
    definition: str


@dataclass(frozen=True)
class Grant:
    """A permission of a role on a schema, or on all tables and views of it, those to come included."""

    role: str
    privilege: str
    scope: str
    schema: str


@dataclass
class Statement:
    """A checked statement and the DuckDB statements that do its work.

    `kind` is `query`, `change`, `create table`, `create table as`, `add column`, `copy`, `unload`, `create procedure`,
    `call`, `create role`, `drop role` or `grant`. For COPY and UNLOAD, which take no parameters, `tokens` holds the
    statement's words instead of a translation. `name` is that of the procedure or role, `body` the procedure's
    statements, `grants` what is granted, `reads` the schemas that a query names.
    """

    text: str
    kind: str
    duckdb: list[str] = field(default_factory=list)
    table: str = ""
    columns: list[TableColumn] = field(default_factory=list)
    if_not_exists: bool = False
    creates: str = ""
    tokens: list[Token] = field(default_factory=list)
    name: str = ""
    body: str = ""
    grants: list[Grant] = field(default_factory=list)
    reads: frozenset[str] = frozenset()


def parse(text: str, parameters: dict[str, str] | None = None, in_batch: bool = False) -> Statement:
    """Read one Redshift statement. `parameters` are bound to its `:name` placeholders as texts of unknown type."""
    return _parse_again(text, in_batch, tuple(sorted((parameters or {}).items())))


@lru_cache(maxsize=500)
def _parse_again(text: str, in_batch: bool, parameters: tuple[tuple[str, str], ...] = ()) -> Statement:
    """Loads and marts come again with each run, and take longer to translate than to run on a small warehouse."""
    return _parse(text, dict(parameters), in_batch)


def _parse(text: str, parameters: dict[str, str], in_batch: bool) -> Statement:
    if re.search(r"\bmerge\b.*\bremove\s+duplicates\W*$", text, re.IGNORECASE | re.DOTALL):
        raise SqlError("the local warehouse does not implement MERGE with REMOVE DUPLICATES")
    tree = _tree(text)
    if isinstance(tree, exp.Copy):
        return Statement(text, "copy", tokens=_tokens(text))
    if isinstance(tree, exp.Command) and tree.name.upper() == "UNLOAD":
        # sqlglot keeps what follows the word as one text.
        return Statement(text, "unload", tokens=_tokens(tree.expression.name))
    if statement := _procedure(tree, text) or _access(tree, text):
        return statement
    _check(tree, text, in_batch)
    used = _bind(tree, parameters)
    statement = _translate(tree, text)
    if unused := set(parameters) - used:
        raise SqlError(f"parameters that the statement does not use: {', '.join(sorted(unused))}")
    return statement


@lru_cache(maxsize=500)
def placeholders(text: str) -> frozenset[str]:
    """The names of a statement's `:name` placeholders."""
    return frozenset(node.name for node in _tree(text).find_all(exp.Placeholder) if node.name)


def has_limit(text: str) -> bool:
    """Whether the outermost select has a LIMIT, which UNLOAD refuses."""
    return _tree(text).args.get("limit") is not None


def byte_limit(redshift_type: str) -> int | None:
    """How many bytes a column of this type holds, if it holds text."""
    match = re.fullmatch(r"(?:varchar|char)\((\d+)\)", redshift_type)
    return int(match[1]) if match else None


def _tokens(text: str) -> list[Token]:
    try:
        return sqlglot.tokenize(text, read="redshift")
    except TokenError as error:
        raise SqlError(f"syntax error: {error}") from error


def _tree(text: str) -> exp.Expr:
    try:
        trees = [tree for tree in sqlglot.parse(text, read="redshift") if tree is not None]
    except ParseError as error:
        near = error.errors[0] if error.errors else {}
        raise SqlError(
            f'syntax error at or near "{near.get("highlight", "")}" '
            f"(line {near.get('line')}, column {near.get('col')}): {near.get('description', error)}"
        ) from error
    except SqlglotError as error:
        raise SqlError(f"syntax error: {error}") from error
    if not trees:
        raise SqlError("syntax error at end of input")
    if len(trees) > 1:
        raise SqlError("cannot insert multiple commands into a prepared statement")
    return trees[0]


# Procedures and roles -------------------------------------------------------------------------------------------------

BODY = re.compile(r"\s*begin\b(.*)\bend\s*;?\s*", re.DOTALL | re.IGNORECASE)
COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
CALL = re.compile(r"(\w+\.\w+)\s*\(\s*\)", re.IGNORECASE)
ROLE = r'"?(\w[\w.@:/-]*)"?'
# Grants that the local warehouse knows: what a role needs to read.
# https://docs.aws.amazon.com/redshift/latest/dg/r_GRANT.html
GRANTS = (
    (re.compile(rf"(usage)\s+on\s+(schema)\s+(\w+(?:\s*,\s*\w+)*)\s+to\s+role\s+{ROLE}", re.IGNORECASE), "schema"),
    (re.compile(rf"(select)\s+for\s+(tables)\s+in\s+schema\s+(\w+)\s+to\s+role\s+{ROLE}", re.IGNORECASE), "tables"),
)


def _procedure(tree: exp.Expr, text: str) -> Statement | None:
    """CREATE OR REPLACE PROCEDURE and CALL, for procedures without arguments, variables and control flow.

    https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_PROCEDURE.html
    """
    if isinstance(tree, exp.Command) and tree.name.upper() == "CALL":
        if match := CALL.fullmatch(tree.expression.name.strip()):
            return Statement(text, "call", name=match[1].lower())
        raise SqlError(f"the local warehouse does not implement: {text.strip()[:80]}")
    if not isinstance(tree, exp.Create) or tree.kind != "PROCEDURE":
        return None
    target, body = tree.this, BODY.fullmatch(tree.expression.name if tree.expression else "")
    if not isinstance(target, exp.UserDefinedFunction) or target.expressions or not target.this.args.get("db"):
        raise SqlError("the local warehouse implements procedures with a schema and without arguments alone")
    if not tree.args.get("replace") or body is None or "plpgsql" not in text.lower().rpartition("$$")[2]:
        raise SqlError("want create or replace procedure … as $$ begin … end; $$ language plpgsql")
    name = f"{target.this.db}.{target.this.name}".lower()
    for statement in body_statements(body[1]):
        if statement.kind not in ("change", "create table", "create table as"):
            raise SqlError(f"the local warehouse does not implement in a procedure: {statement.text[:80]}")
    return Statement(text, "create procedure", name=name, body=body[1])


@lru_cache(maxsize=20)
def body_statements(body: str) -> list[Statement]:
    """The statements of a procedure's body, which is in the transaction of whoever calls it."""
    starts, statements = 0, []
    for token in _tokens(body):
        if token.token_type == TokenType.SEMICOLON:
            statements.append(_parse_again(body[starts : token.start].strip(), True))
            starts = token.end + 1
    if body[starts:].strip():
        raise SqlError('syntax error at or near "end": a statement of the procedure does not end with a semicolon')
    return statements


def _access(tree: exp.Expr, text: str) -> Statement | None:
    """CREATE ROLE, DROP ROLE and the grants to roles, which `Session.require_rights` heeds.

    https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_ROLE.html
    """
    words = COMMENT.sub(" ", text).strip().rstrip(";").split(None, 1)
    verb, rest = words[0].lower(), words[1].strip() if len(words) > 1 else ""
    if verb in ("create", "drop") and (match := re.fullmatch(rf"role\s+{ROLE}", rest, re.IGNORECASE)):
        return Statement(text, f"{verb} role", name=match[1].lower())
    if verb != "grant" or not isinstance(tree, (exp.Command, exp.Grant)):
        return None
    for pattern, scope in GRANTS:
        if match := pattern.fullmatch(rest):
            schemas = [schema.strip().lower() for schema in match[3].split(",")]
            grants = [Grant(match[4].lower(), match[1].lower(), scope, schema) for schema in schemas]
            return Statement(text, "grant", grants=grants)
    raise SqlError(f"the local warehouse does not implement: {text.strip()[:80]}")


# Checks ---------------------------------------------------------------------------------------------------------------

STATEMENTS = (
    exp.Query,
    exp.Insert,
    exp.Update,
    exp.Delete,
    exp.Merge,
    exp.Create,
    exp.Drop,
    exp.Alter,
    exp.TruncateTable,
)

TYPES = {
    exp.DType.SMALLINT: "smallint",
    exp.DType.INT: "integer",
    exp.DType.BIGINT: "bigint",
    exp.DType.DECIMAL: "decimal",
    exp.DType.FLOAT: "real",
    exp.DType.DOUBLE: "double precision",
    exp.DType.BOOLEAN: "boolean",
    exp.DType.CHAR: "char",
    exp.DType.NCHAR: "char",
    exp.DType.BPCHAR: "char",
    exp.DType.VARCHAR: "varchar",
    exp.DType.NVARCHAR: "varchar",
    exp.DType.TEXT: "varchar",
    exp.DType.DATE: "date",
    exp.DType.TIMESTAMP: "timestamp",
    exp.DType.TIMESTAMPTZ: "timestamptz",
    exp.DType.SUPER: redshift_super.SUPER,
}

# Clauses that sqlglot reads and Redshift does not, with the word at which Redshift stops.
FOREIGN_CLAUSES: dict[type[exp.Expr], str] = {
    exp.Filter: "filter",
    exp.Lambda: "->",
    exp.Struct: "{",
    exp.Array: "[",
    exp.Unnest: "unnest",
    exp.OnConflict: "conflict",
    exp.Returning: "returning",
    exp.TableSample: "tablesample",
    exp.Bracket: "[",
}

# What may stand after the columns of a table. It decides how fast a query is and not what it gives.
TABLE_ATTRIBUTES = (exp.DistKeyProperty, exp.DistStyleProperty, exp.SortKeyProperty, exp.BackupProperty)
TABLE_ITEMS = (exp.ColumnDef, exp.PrimaryKey, exp.UniqueColumnConstraint, exp.ForeignKey)

# Names that must be quoted: https://docs.aws.amazon.com/redshift/latest/dg/r_pg_keywords.html
RESERVED = set(
    re.findall(
        r"\w+",
        """
    aes128 aes256 all allowoverwrite analyse analyze and any array as asc authorization az64 backup between
    binary blanksasnull both bytedict bzip2 case cast check collate column constraint create credentials cross
    current_date current_time current_timestamp current_user current_user_id default deferrable deflate defrag
    delta delta32k desc disable distinct do else emptyasnull enable encode encrypt encryption end except
    explicit false for foreign freeze from full globaldict256 globaldict64k grant group gzip having identity
    ignore ilike in initially inner intersect interval into is isnull join leading left like limit localtime
    localtimestamp lun luns lzo lzop minus mostly16 mostly32 mostly8 natural new not notnull null nulls off
    offline offset oid old on only open or order outer overlaps parallel partition percent permissions pivot
    placing primary raw readratio recover references rejectlog resort respect restore right select session_user
    similar snapshot some sysdate system table tag tdes text255 text32k then timestamp to top trailing true
    truncatecolumns union unique unnest unpivot user using verbose wallet when where with without
    """,
    )
)
# Functions of Redshift that are translated with the same result. Others are refused by name, those that Redshift
# lacks and those that nobody has needed here yet.
FUNCTIONS = set(
    re.findall(
        r"\w+",
        """
    abs add_months any_value ascii avg btrim ceil ceiling charindex char_length character_length chr coalesce concat
    convert_timezone cos count cume_dist date date_part date_trunc dateadd datediff datepart decode dense_rank
    exp extract first_value floor getdate greatest initcap lag last_day last_value lead least left len length ln
    log lower lpad ltrim max md5 median min mod months_between nth_value ntile nullif nvl nvl2 octet_length
    percent_rank percentile_cont percentile_disc pi position pow power rank regexp_instr
    regexp_replace regexp_substr repeat replace reverse right round row_number rpad rtrim sign sin split_part sqrt
    stddev stddev_pop stddev_samp strpos strtol substr substring sum sysdate tan to_char to_date to_timestamp translate
    trim trunc upper var_pop var_samp variance listagg current_schema current_database json_parse json_serialize
    """,
    )
)
# Words other than functions that may stand before a parenthesis.
WORDS = set(
    re.findall(
        r"\w+",
        """
    all and any as between by case cast char character convert copy dec decimal distkey else except exists filter float
    from group having in insert intersect into is join key like limit not numeric on or over partition primary
    references select set some sortkey table then top union unique update using values varchar varying when where with
    within precision timestamp exclude interleaved compound check not distinct nvarchar nchar bpchar text backup
    """,
    )
)


def _check(tree: exp.Expr, text: str, in_batch: bool) -> None:
    if isinstance(tree, (exp.Transaction, exp.Commit, exp.Rollback)):
        raise SqlError("the Data API opens and ends transactions itself; use BatchExecuteStatement")
    if isinstance(tree, exp.Command) or not isinstance(tree, STATEMENTS):
        raise SqlError(f"the local warehouse does not implement: {text.strip().split(chr(10))[0][:80]}")
    if isinstance(tree, exp.TruncateTable) and in_batch:
        raise SqlError("TRUNCATE commits the transaction it is run in and is refused in a batch; use DELETE")
    if isinstance(tree, exp.Create):
        _check_create(tree)
    if isinstance(tree, exp.Alter):
        _check_alter(tree)
    if isinstance(tree, exp.Merge):
        _check_merge(tree)
    _check_clauses(tree)
    _check_types(tree)
    _check_functions(tree, text)
    _check_sorted_aggregates(tree)


def _check_create(tree: exp.Create) -> None:
    if tree.kind == "INDEX":
        raise SqlError('SQL command "create index" not supported on Redshift tables')
    if tree.kind not in ("SCHEMA", "TABLE", "VIEW"):
        raise SqlError(f"the local warehouse does not implement create {str(tree.kind).lower()}")
    if tree.args.get("replace") and tree.kind != "VIEW":
        raise SqlError('syntax error at or near "or"')
    if tree.kind == "TABLE" and tree.expression and tree.args.get("exists"):
        raise SqlError('syntax error at or near "not": CREATE TABLE AS takes no IF NOT EXISTS')
    if tree.kind == "VIEW" and tree.args.get("exists"):
        raise SqlError('syntax error at or near "not": CREATE VIEW takes no IF NOT EXISTS')
    properties = tree.args["properties"].expressions if tree.args.get("properties") else []
    items = tree.this.expressions if isinstance(tree.this, exp.Schema) else []
    for node in [node for node in properties if not isinstance(node, TABLE_ATTRIBUTES)] + [
        node for node in items if tree.kind == "TABLE" and not isinstance(node, TABLE_ITEMS)
    ]:
        raise SqlError(f"the local warehouse does not implement: {node.sql('redshift')}")
    if columns := {node.name.lower() for node in items if isinstance(node, exp.ColumnDef)}:
        for node in properties:
            keys = {key.name.lower() for key in node.find_all(exp.Identifier, exp.Column)}
            if isinstance(node, (exp.DistKeyProperty, exp.SortKeyProperty)) and keys - columns:
                raise SqlError(f'column "{sorted(keys - columns)[0]}" named in key does not exist')


def _check_alter(tree: exp.Alter) -> None:
    actions = tree.args.get("actions") or []
    if len(actions) != 1:
        raise SqlError('syntax error at or near ",": ALTER TABLE takes one action')
    action = actions[0]
    if not isinstance(action, (exp.ColumnDef, exp.Drop, exp.RenameColumn, exp.AlterRename)):
        raise SqlError(f"the local warehouse does not implement: {tree.sql('redshift')}")
    if action.args.get("exists"):
        raise SqlError('syntax error at or near "exists": ALTER TABLE takes no IF [NOT] EXISTS')
    if isinstance(action, exp.ColumnDef):
        kinds = {type(constraint.kind) for constraint in action.args.get("constraints") or []}
        if exp.NotNullColumnConstraint in kinds and exp.DefaultColumnConstraint not in kinds:
            raise SqlError("ALTER TABLE ADD COLUMN defined as NOT NULL must have a non-null default expression")


def _check_merge(tree: exp.Merge) -> None:
    """MERGE has both WHEN clauses, each without a condition of its own, and a table as its source.

    https://docs.aws.amazon.com/redshift/latest/dg/r_MERGE.html
    """
    target, source = tree.this, tree.args["using"]
    if not isinstance(source, exp.Table):
        raise SqlError('syntax error at or near "(": the source of MERGE is a table')
    if target.alias:
        raise SqlError(f'syntax error at or near "{target.alias}": the target of MERGE has no alias')
    if target.sql() == exp.Table(this=source.this, db=source.args.get("db")).sql():
        raise SqlError("Source and target tables of MERGE must be different")
    whens = tree.args["whens"].expressions
    if [when.args.get("matched") for when in whens] != [True, False]:
        raise SqlError("syntax error: MERGE has one WHEN MATCHED and one WHEN NOT MATCHED clause")
    for when in whens:
        if when.args.get("condition") or when.args.get("source"):
            raise SqlError('syntax error at or near "and": a WHEN clause of MERGE has no condition')
    matched = whens[0].args["then"]
    for assignment in matched.expressions if isinstance(matched, exp.Update) else []:
        if isinstance(assignment.this, exp.Column) and assignment.this.table:
            raise SqlError(f'syntax error at or near ".": name the column {assignment.this.name} without its table')
    for predicate in tree.args["on"].flatten() if isinstance(tree.args["on"], exp.And) else [tree.args["on"]]:
        if not isinstance(predicate.unnest(), exp.EQ):
            raise SqlError("MERGE matches rows by equal predicates alone")


def _check_clauses(tree: exp.Expr) -> None:
    for node in tree.walk():
        if (word := FOREIGN_CLAUSES.get(type(node))) and not redshift_super.is_unnesting(node):
            raise SqlError(f'syntax error at or near "{word}"')
        if isinstance(node, exp.Identifier) and not node.args.get("quoted") and node.name.lower() in RESERVED:
            raise SqlError(f'syntax error at or near "{node.name}": a reserved word, quote it')
        if isinstance(node, exp.Distinct) and node.args.get("on"):
            raise SqlError("SELECT DISTINCT ON is not supported")
        if isinstance(node, exp.Values) and not isinstance(node.parent, exp.Insert):
            raise SqlError('syntax error at or near "values": VALUES is for INSERT alone')
        if isinstance(node, exp.Table) and node.this and not isinstance(node.this, exp.Identifier):
            raise SqlError("the local warehouse does not implement functions in FROM")


def _check_types(tree: exp.Expr) -> None:
    for node in tree.find_all(exp.DataType):
        if node.this not in TYPES or isinstance(node.this, str) or node.args.get("nested"):
            raise SqlError(f'type "{node.sql("redshift").lower()}" does not exist')


def _check_functions(tree: exp.Expr, text: str) -> None:
    """Refuse functions by the name that the statement gives them: sqlglot's tree knows several names as one."""
    named = {alias.name.lower() for alias in tree.find_all(exp.CTE, exp.TableAlias)}
    tokens = _tokens(text)
    for before, token, after in zip([None, *tokens], tokens, tokens[1:], strict=False):
        if after.token_type != TokenType.L_PAREN or not re.fullmatch(r"[A-Za-z_]\w*", token.text):
            continue
        name = token.text.lower()
        if token.token_type in (TokenType.STRING, TokenType.NUMBER) or name in WORDS or name in named:
            continue
        preceding = before.text.lower() if before else ""
        if preceding not in (".", "into", "table") and name not in FUNCTIONS:
            raise SqlError(f"function {name}() does not exist in Redshift or is not implemented by the local warehouse")


def _check_sorted_aggregates(tree: exp.Expr) -> None:
    """Redshift sorts once for all LISTAGG, MEDIAN and PERCENTILE functions of a select."""
    for select in tree.find_all(exp.Select):
        orders = set()
        for node in select.find_all(exp.Median, exp.WithinGroup):
            if node.parent_select is select and not isinstance(node.parent, exp.Window):
                orders.add(node.this.sql() if isinstance(node, exp.Median) else node.expression.sql())
        if len(orders) > 1:
            raise SqlError("within group ORDER BY clauses for aggregate functions must be the same")


# Translation ----------------------------------------------------------------------------------------------------------


def _bind(tree: exp.Expr, parameters: dict[str, str]) -> set[str]:
    """Put the parameters in as string literals, whose type the statement decides, as in Redshift."""
    used = set()
    for node in list(tree.find_all(exp.Placeholder)):
        if node.name not in parameters:
            raise SqlError(f"no value is given for the parameter :{node.name}")
        used.add(node.name)
        node.replace(exp.Literal.string(parameters[node.name]))
    return used


def _translate(tree: exp.Expr, text: str) -> Statement:
    for identifier in tree.find_all(exp.Identifier):
        # Redshift folds quoted names too, unless enable_case_sensitive_identifier is set.
        identifier.set("this", identifier.name.lower())
    if isinstance(tree, exp.Alter) and isinstance(tree.args["actions"][0], exp.ColumnDef):
        column = _column(tree.args["actions"][0])
        return Statement(text, "add column", table=_duckdb(tree.this), columns=[column])
    if isinstance(tree, exp.Create):
        return _create(tree, text)
    reads = _schemas(tree)
    for table in tree.find_all(exp.Table):
        if table.name in SYSTEM_VIEWS and not table.args.get("db"):
            table.set("db", exp.to_identifier("main"))
    if isinstance(tree, exp.Merge):
        _give_values(tree)
    tree = _expressions(tree)
    if isinstance(tree, exp.Query):
        return Statement(text, "query", [_duckdb(tree)], reads=reads)
    if isinstance(tree, exp.Drop):
        return Statement(text, "change", _drops(tree))
    return Statement(text, "change", [_duckdb(tree)])


def _schemas(tree: exp.Expr) -> frozenset[str]:
    """The schemas that a statement names; `t.list` in `from s.t as t, t.list as l` unnests a column of t."""
    tables = list(tree.find_all(exp.Table))
    aliases = {table.alias_or_name for table in tables}
    return frozenset(table.db for table in tables if table.db and table.db not in aliases)


def _create(tree: exp.Create, text: str) -> Statement:
    exists = bool(tree.args.get("exists"))
    if tree.kind == "TABLE" and isinstance(tree.this, exp.Schema) and not tree.expression:
        columns = [_column(node) for node in tree.this.expressions if isinstance(node, exp.ColumnDef)]
        return Statement(
            text, "create table", table=_duckdb(tree.this.this), columns=columns, if_not_exists=exists, creates="table"
        )
    # Distribution and sort keys, encodings, late binding: nothing that a result depends on.
    tree.set("properties", None)
    tree.set("no_schema_binding", None)
    kind, table = str(tree.kind).lower(), _duckdb(tree.this)
    if kind == "table":
        query = _duckdb(_expressions(tree.expression))
        return Statement(text, "create table as", [query], table=table, creates=kind)
    return Statement(text, "change", [_duckdb(_expressions(tree))], creates=kind)


def _give_values(tree: exp.Merge) -> None:
    """Mend INSERT VALUES (…) without column names, which sqlglot reads as an insert into a column `values(…)`."""
    insert = tree.args["whens"].expressions[1].args["then"]
    first = insert.this.expressions[0] if isinstance(insert.this, exp.Tuple) else None
    if isinstance(first, exp.Anonymous) and first.name.lower() == "values":
        insert.set("expression", exp.Tuple(expressions=first.expressions))
        insert.set("this", None)


def _drops(tree: exp.Drop) -> list[str]:
    """DuckDB drops one thing a statement."""
    statements = []
    for target in tree.args["tables"]:
        single = tree.copy()
        single.set("tables", [target.copy()])
        statements.append(_duckdb(single))
    return statements


def _column(node: exp.ColumnDef) -> TableColumn:
    redshift_type = _declared_type(node.args["kind"])
    definition = f"{_duckdb(node.this)} {duckdb_type(redshift_type)}"
    for constraint in node.args.get("constraints") or []:
        if isinstance(constraint.kind, exp.NotNullColumnConstraint) and not constraint.kind.args.get("allow_null"):
            definition += " not null"
        elif isinstance(constraint.kind, exp.DefaultColumnConstraint):
            definition += f" default {_duckdb(_expressions(constraint.kind.this.copy()))}"
        elif isinstance(constraint.kind, exp.GeneratedAsIdentityColumnConstraint):
            raise SqlError("the local warehouse does not implement identity columns")
    if limit := byte_limit(redshift_type):
        definition += f" check (strlen({_duckdb(node.this)}) <= {limit})"
    return TableColumn(node.name, redshift_type, definition)


def _declared_type(node: exp.DataType) -> str:
    """The type as Redshift's catalog names it, with its default length or precision."""
    name = TYPES[node.this]  # type: ignore[index]
    sizes = [parameter.name for parameter in node.expressions]
    if name == "decimal":
        precision, scale = [*sizes, "0"][:2] if sizes else ("18", "0")
        return f"decimal({precision},{scale})"
    if name in ("varchar", "char"):
        default = DEFAULT_VARCHAR if name == "varchar" else 1
        size = MAX_VARCHAR if sizes and sizes[0].upper() == "MAX" else int(sizes[0]) if sizes else default
        if not 1 <= size <= MAX_VARCHAR:
            raise SqlError(f"length for type character varying cannot exceed {MAX_VARCHAR}")
        return f"{name}({size})"
    return name


def duckdb_type(redshift_type: str) -> str:
    """What DuckDB calls a type that Redshift declares; lengths of texts are checked apart from it."""
    if redshift_type == redshift_super.SUPER:
        return redshift_super.DUCKDB_TYPE
    return "varchar" if byte_limit(redshift_type) else redshift_type


def _expressions(tree: exp.Expr) -> exp.Expr:
    """Replace what DuckDB would compute otherwise."""
    return redshift_super.translate(tree).transform(_expression)


def _expression(node: exp.Expr) -> exp.Expr:
    if isinstance(node, exp.CurrentTimestamp):
        # GETDATE() and SYSDATE are timestamps without a zone, in UTC.
        return exp.cast(exp.AtTimeZone(this=exp.Anonymous(this="now"), zone=exp.Literal.string("UTC")), "timestamp")
    if isinstance(node, exp.FromBase):
        return _from_base(node)
    if isinstance(node, exp.Cast) and isinstance(node.to, exp.DataType):
        return _cast(node)
    if isinstance(node, exp.Avg) and not isinstance(node.parent, exp.Window):
        return _average(node, None)
    if isinstance(node, exp.Window) and isinstance(node.this, exp.Avg):
        return _average(node.this, node)
    return node


def _cast(node: exp.Cast) -> exp.Expr:
    """A cast to varchar(n) cuts the text; a decimal without a precision has 18 digits and no decimals."""
    declared = _declared_type(node.to)
    if byte_limit(declared):
        text = exp.cast(node.this, "varchar")
        if not node.to.expressions:
            return text
        return exp.Left(this=text, expression=exp.Literal.number(byte_limit(declared)))
    if declared.startswith("decimal") and not node.to.expressions:
        return exp.cast(node.this, declared)
    return node


def _from_base(node: exp.FromBase) -> exp.Expr:
    """STRTOL of hex digits, which DuckDB casts once 0x stands before them."""
    if node.expression.name != "16":
        raise SqlError("the local warehouse implements STRTOL with base 16 alone")
    return exp.cast(exp.DPipe(this=exp.Literal.string("0x"), expression=node.this), "bigint")


def _average(average: exp.Avg, window: exp.Window | None) -> exp.Expr:
    """AVG keeps the scale of its argument: whole numbers have a whole average.

    https://docs.aws.amazon.com/redshift/latest/dg/r_AVG.html
    """
    first = exp.Anonymous(this="any_value", expressions=[average.this.copy()])
    mean: exp.Expr = exp.Anonymous(this="avg", expressions=[average.this.copy()])
    typed: exp.Expr = first
    if window is not None:
        mean, typed = window.copy(), window.copy()
        mean.set("this", exp.Anonymous(this="avg", expressions=[average.this.copy()]))
        typed.set("this", first)
    return exp.Anonymous(this="redshift_average", expressions=[mean, exp.Anonymous(this="typeof", expressions=[typed])])


# Views of the system that the local warehouse has, in DuckDB's schema main.
SYSTEM_VIEWS = {"svv_roles"}

# What the translation refers to; created in each database when it is opened.
MACROS = (
    """create or replace temp macro redshift_average(mean, kind) as case
        when kind in ('TINYINT', 'SMALLINT', 'INTEGER', 'BIGINT', 'HUGEINT') then trunc(mean)
        when kind like 'DECIMAL%' then
            trunc(mean * power(10, cast(regexp_extract(kind, ',([0-9]+)', 1) as integer)) + 1e-9)
            / power(10, cast(regexp_extract(kind, ',([0-9]+)', 1) as integer))
        else mean
    end""",
)


def _duckdb(tree: exp.Expr) -> str:
    return tree.sql(dialect="duckdb", identify=True, comments=False)
