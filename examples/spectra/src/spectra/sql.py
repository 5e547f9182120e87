"""What a client may have the warehouse do: one statement that only reads its tables.

The statement is parsed, as Redshift's dialect, and what is run is written anew from the tree that was checked: no
comment, and no second opinion about where a string ends, comes through.  The warehouse's grants stand behind this.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar

from sqlglot import exp, parse
from sqlglot.dialects.redshift import Redshift
from sqlglot.errors import ErrorLevel, ParseError, SqlglotError, UnsupportedError

from spectra.ports import Parameter, Scalar, Statement

# Redshift's and PostgreSQL's own tables, views and schemas
_SYSTEM = re.compile(r"(pg|stl|stv|stll|svv|svl|svcs|sys|st|information_schema)(_.*)?|catalog_history", re.IGNORECASE)
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*")
# Functions of Redshift that sqlglot has no class for.  Others may be anybody's: a UDF can call a Lambda function
_FUNCTIONS = frozenset({
    "btrim", "bpcharcmp", "charindex", "checksum", "dexp", "dlog1", "dlog10", "len", "nvl2", "octet_length",
    "octetindex", "quote_ident", "quote_literal", "ratio_to_report", "regexp_instr", "replicate", "strtol", "textlen",
    "to_hex", "trunc",
})  # fmt: skip
_REFUSED = (
    exp.Into, exp.Lock, exp.Command, exp.DDL, exp.DML, exp.Parameter, exp.SessionParameter, exp.TableFromRows,
    exp.ReadCSV, exp.Lateral, exp.Values,
)  # fmt: skip
_TYPES: dict[type, str] = {bool: "boolean", int: "bigint", float: "double precision", str: "varchar"}


class RefusedError(Exception):
    """The text is for whoever wrote the statement."""


class _Redshift(Redshift):
    class Tokenizer(Redshift.Tokenizer):
        # The first is what is written.  A string ends at the same quote then, whether or not the backslash escapes,
        # which is a matter of the warehouse's settings
        STRING_ESCAPES: ClassVar = ["'", "\\"]


def statement(sql: str, parameters: Mapping[str, Scalar]) -> Statement:
    """The statement with its parameters bound by their types.  Raises RefusedError."""
    try:
        return _statement(sql, parameters)
    except RecursionError:
        raise RefusedError("the statement is nested too deeply") from None
    except SqlglotError as error:
        raise RefusedError(_reason(error)) from None


def _statement(sql: str, parameters: Mapping[str, Scalar]) -> Statement:
    tree = _parsed(sql)
    for node in tree.walk():
        _check(node)
    _check_tables(tree)
    named = {node.name for node in tree.find_all(exp.Placeholder)}
    if named & {"", "?"}:
        raise RefusedError("parameters are named: write `:name`, not `?`")
    if missing := sorted(named - set(parameters)):
        raise RefusedError(f"no value is given for the parameter `:{missing[0]}`")
    if unused := sorted(set(parameters) - named):
        raise RefusedError(f"the statement has no parameter `:{unused[0]}`")
    bound = tuple(
        # The warehouse takes the type of a NULL from where it stands
        Parameter(name, value, _TYPES.get(type(value), "varchar"))
        for name, value in sorted(parameters.items())
    )
    # RAISE: else what sqlglot can't write it leaves out, and the statement would mean something else
    text = tree.transform(_colon).sql(dialect=_Redshift, comments=False, unsupported_level=ErrorLevel.RAISE)
    return Statement(text, bound)


def _parsed(sql: str) -> exp.Query:
    if "\0" in sql:
        raise RefusedError("this is no SQL that can be read")
    trees = [tree for tree in parse(sql, read=_Redshift) if tree is not None]
    if len(trees) != 1:
        raise RefusedError(f"exactly one statement is needed, found {len(trees)}")
    tree = trees[0]
    if not isinstance(tree, exp.Query):
        raise RefusedError("only SELECT is allowed")
    return tree


def _reason(error: SqlglotError) -> str:
    if isinstance(error, ParseError) and error.errors:
        first = error.errors[0]
        return f"line {first['line']}, column {first['col']}: {first['description']}"
    if isinstance(error, UnsupportedError):
        return str(error)
    return "this is no SQL that can be read"


def _check(node: exp.Expr) -> None:
    if isinstance(node, _REFUSED):
        raise RefusedError(f"{node.key.upper()} is not allowed: only SELECT is")
    if isinstance(node, exp.CTE) and not isinstance(node.this, exp.Query):
        raise RefusedError("WITH may hold SELECTs only")
    if isinstance(node, exp.Anonymous) and node.name.lower() not in _FUNCTIONS:
        raise RefusedError(f"the function `{node.name}` is not allowed")
    if isinstance(node, exp.Dot) and isinstance(node.expression, exp.Func):
        raise RefusedError("functions of a schema are not allowed")


def _check_tables(tree: exp.Query) -> None:
    for table in tree.find_all(exp.Table):
        if not isinstance(table.this, exp.Identifier):
            raise RefusedError("FROM takes tables and SELECTs, no functions")
        for part in table.parts:
            if not _PLAIN.fullmatch(part.name):
                raise RefusedError(f"`{part.name}` is no table")
            if _SYSTEM.fullmatch(part.name):
                raise RefusedError(f"`{part.name}` belongs to the system")


def _colon(node: exp.Expression) -> exp.Expression:
    """sqlglot writes Redshift's placeholders as its Python driver has them."""
    return exp.var(f":{node.name}") if isinstance(node, exp.Placeholder) else node
