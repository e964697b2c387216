"""SUPER, Redshift's type for JSON, on DuckDB's JSON: navigation by dots, and arrays as tables.

https://docs.aws.amazon.com/redshift/latest/dg/query-super.html
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlglot import exp

SUPER = "super"
DUCKDB_TYPE = "json"


def is_unnesting(node: exp.Expr) -> bool:
    """Whether a FROM item is the array of another's column, as `r` is in `from t, t.doc.results as r`.

    sqlglot reads that as an unnest(), which Redshift does not know by this name.
    """
    return isinstance(node, exp.Unnest) and all(isinstance(item, exp.Column) for item in node.expressions)


def translate(tree: exp.Expr) -> exp.Expr:
    """Replace what navigates into a SUPER by DuckDB's functions on JSON."""
    arrays = [node for node in tree.find_all(exp.Unnest) if is_unnesting(node)]
    known: dict[int, _Names] = {}
    paths = [(node, path) for node in tree.find_all(exp.Column) if (path := _path(node, known))]
    for node, (head, names) in paths:
        replacement = _extract(node, head, names)
        if node is tree:
            tree = replacement
        else:
            node.replace(replacement)
    for node in arrays:
        _as_table(node)
    return tree.transform(_function)


def _function(node: exp.Expr) -> exp.Expr:
    return exp.cast(node.expressions[0], "varchar") if _is_serialize(node) else node


def _is_serialize(node: exp.Expr | None) -> bool:
    return isinstance(node, exp.Anonymous) and node.name.lower() == "json_serialize"


def _path(node: exp.Column, known: dict[int, _Names]) -> tuple[exp.Column, list[str]] | None:
    """The column that a dotted name begins with and the names behind it; None for a mere column."""
    parts = [part.copy() for part in node.parts if isinstance(part, exp.Identifier)]
    names = _names(node, known)
    if not parts or parts[0].name in names.schemas:
        return None
    first = parts[0].name
    if first in names.arrays:
        head, rest = exp.column(parts[0], table=parts[0].copy()), parts[1:]
    elif first in names.tables and len(parts) > 1:
        head, rest = exp.column(parts[1], table=parts[0]), parts[2:]
    else:
        head, rest = exp.column(parts[0]), parts[1:]
    found = rest or first in names.arrays or isinstance(node.parent, exp.Unnest)
    return (head, [part.name for part in rest]) if found else None


@dataclass
class _Names:
    """The names of the tables, of their schemas and of the arrays that a select and those around it read."""

    tables: set[str] = field(default_factory=set)
    schemas: set[str] = field(default_factory=set)
    arrays: set[str] = field(default_factory=set)


def _names(node: exp.Expr, known: dict[int, _Names]) -> _Names:
    select = node.find_ancestor(exp.Select, exp.Delete, exp.Update)
    if select is None:
        return _Names()
    if id(select) not in known:
        around = _names(select, known)
        names = _Names(set(around.tables), set(around.schemas), set(around.arrays))
        for item in select.find_all(exp.Table, exp.Subquery, exp.Unnest, exp.CTE):
            if isinstance(item, exp.Unnest):
                names.arrays |= (
                    {column.name for column in item.args["alias"].columns} if item.args.get("alias") else set()
                )
                continue
            names.tables.add(item.alias_or_name)
            names.schemas |= {item.db} if isinstance(item, exp.Table) and item.db else set()
        known[id(select)] = names
    return known[id(select)]


def _extract(node: exp.Column, head: exp.Column, names: list[str]) -> exp.Expr:
    """A value of the select list stays JSON; elsewhere its text is what counts. An array is a list of elements."""
    array = isinstance(node.parent, exp.Unnest)
    if not names and not array:
        return head
    stays = array or isinstance(node.parent, exp.Select)
    stays |= isinstance(node.parent, exp.Alias) and isinstance(node.parent.parent, exp.Select)
    stays |= _is_serialize(node.parent)
    path = "$" + "".join(f'."{name}"' for name in names) + ("[*]" if array else "")
    function = "json_extract" if stays else "json_extract_string"
    return exp.Anonymous(this=function, expressions=[head, exp.Literal.string(path)])


def _as_table(node: exp.Unnest) -> None:
    """`t.doc.results as r` as a table r of one column r, an element a row."""
    name = node.args["alias"].columns[0].name
    rows = exp.select(exp.alias_(exp.Anonymous(this="unnest", expressions=[node.expressions[0].copy()]), name))
    node.replace(exp.Lateral(this=rows.subquery(), alias=exp.TableAlias(this=exp.to_identifier(name))))
