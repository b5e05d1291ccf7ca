"""How the SQL dialects of cloud warehouses write what sqlglot does not translate, or translates to other values. Pure.

DuckDB and PostgreSQL need nothing of this. The forms follow the SQL references of the warehouses.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import sqlglot
from sqlglot import exp


@dataclass(frozen=True, slots=True)
class Forms:
    """The SQL of one dialect. In all of them, ``_0`` and ``_1`` stand for the operands.

    Attributes:
        seconds: Seconds since 1970 of a point in time, with fraction.
        wall_clock: A point in time as a date and time in UTC, whatever the time zone of the session.
        instant: The reverse: a date and time in UTC as a point in time.
        add_seconds: A point in time plus a number of seconds.
        json_text: A JSON column, which holds an object or its text, as text.
        json_value: The text at a path of such a text; ``{path}`` and ``{keys}`` stand for the path. Null if missing.
        to_json: A text as a JSON string.
        json: Type of JSON columns.
        truncated: A date and time truncated to ``{unit}``; None if sqlglot is right.
        decimal: A number rounded to ``{scale}`` digits; None if CAST does that.
        timestamp: A text in ISO 8601 as a point in time; None if CAST does that.
        variance: Population variance; None if sqlglot is right.
        settings: What follows a query.
        whole_intervals: Whether the number of an interval is not a string.
        folds_up: Whether names that were not quoted are in upper case.
        dots: What replaces dots in names of columns.
        has_null_arrays: Whether an array can be null; if not, it is empty instead.
        names_columns_of_ctes: Whether the columns of a common table expression can be named before it.
    """

    seconds: str
    wall_clock: str
    instant: str
    add_seconds: str
    json_value: str
    to_json: str
    json: str
    json_text: str = "_0"
    truncated: str | None = None
    decimal: str | None = None
    timestamp: str | None = None
    variance: str | None = None
    settings: str = ""
    whole_intervals: bool = False
    folds_up: bool = False
    dots: str = "."
    has_null_arrays: bool = True
    names_columns_of_ctes: bool = True


FORMS = {
    "snowflake": Forms(
        seconds="CAST(DATE_PART(EPOCH_MICROSECOND, _0) AS DOUBLE) / 1000000",
        wall_clock="CONVERT_TIMEZONE('UTC', _0)",
        instant="_0",  # a wall clock is still a TIMESTAMP_TZ, in UTC
        add_seconds="DATEADD(SECOND, _1, _0)",
        json_text="TO_VARCHAR(_0)",
        json_value="CAST(GET_PATH(PARSE_JSON(_0), '{path}') AS VARCHAR)",
        to_json="TO_JSON(TO_VARIANT(_0))",
        json="VARIANT",
        folds_up=True,
    ),
    "bigquery": Forms(
        seconds="UNIX_MICROS(_0) / 1000000",
        wall_clock="DATETIME(_0, 'UTC')",
        instant="TIMESTAMP(_0, 'UTC')",
        add_seconds="TIMESTAMP_ADD(_0, INTERVAL _1 SECOND)",
        json_text="COALESCE(JSON_VALUE(_0, '$'), TO_JSON_STRING(_0))",
        json_value="JSON_VALUE(_0, '$.{path}')",
        to_json="TO_JSON_STRING(_0)",
        json="JSON",
        truncated="DATETIME_TRUNC(_0, {unit})",
        decimal="ROUND(CAST(_0 AS BIGNUMERIC), {scale})",  # NUMERIC has 9 fractional digits
        whole_intervals=True,
        dots="_",
    ),
    "databricks": Forms(
        seconds="UNIX_MICROS(_0) / 1000000",
        wall_clock="CONVERT_TIMEZONE('UTC', _0)",
        instant="CAST(CONVERT_TIMEZONE('UTC', CURRENT_TIMEZONE(), _0) AS TIMESTAMP)",
        add_seconds="TIMESTAMPADD(SECOND, CAST(_1 AS INT), _0)",
        json_value="GET_JSON_OBJECT(_0, '$.{path}')",
        to_json="SUBSTRING(TO_JSON(ARRAY(_0)), 2, LENGTH(TO_JSON(ARRAY(_0))) - 2)",  # TO_JSON takes no text alone
        json="STRING",
    ),
    "redshift": Forms(
        seconds="EXTRACT(EPOCH FROM _0)",
        wall_clock="_0 AT TIME ZONE 'UTC'",
        instant="_0 AT TIME ZONE 'UTC'",
        add_seconds="DATEADD(SECOND, CAST(_1 AS INTEGER), _0)",
        json_text="CASE WHEN JSON_TYPEOF(_0) = 'string' THEN CAST(_0 AS VARCHAR(MAX)) ELSE JSON_SERIALIZE(_0) END",
        json_value="NULLIF(JSON_EXTRACT_PATH_TEXT(_0, {keys}, TRUE), '')",
        to_json="JSON_SERIALIZE(CAST(_0 AS SUPER))",
        json="SUPER",
    ),
    "clickhouse": Forms(
        seconds="toUnixTimestamp64Micro(_0) / 1000000",
        wall_clock="_0",  # all columns are DateTime64(6, 'UTC')
        instant="toDateTime64(_0, 6, 'UTC')",
        add_seconds="addSeconds(_0, _1)",
        json_value="NULLIF(JSONExtractString(_0, {keys}), '')",
        to_json="toJSONString(_0)",
        json="Nullable(String)",
        decimal="CAST(ROUND(_0, {scale}) AS Nullable(Decimal(38, {scale})))",  # CAST truncates
        timestamp="parseDateTime64BestEffortOrNull(CAST(_0 AS Nullable(String)), 6, 'UTC')",
        variance="varPop(_0)",
        # without them, a column without a match is '' or 0 instead of null, and SUM(x) AS x hides the column x
        settings=" SETTINGS join_use_nulls = 1, prefer_column_name_to_alias = 1",
        whole_intervals=True,
        has_null_arrays=False,
        names_columns_of_ctes=False,
    ),
}
"""Dialects that need more than sqlglot, by their name in sqlglot."""


def column_name(name: str, dialect: str) -> str:
    """Returns the name of a view's column in a dialect, quoted."""
    forms = FORMS.get(dialect)
    dotted = name.replace(".", forms.dots) if forms else name
    is_plain = name == name.lower() and "." not in name
    return exp.to_identifier(dotted.upper() if is_plain and forms and forms.folds_up else dotted, quoted=True).sql(
        dialect
    )


def translated(query: exp.Expr, dialect: str) -> str:
    """Translates a query from DuckDB's dialect; all names are quoted, since some are reserved words.

    Args:
        query: The parsed query. It is changed.
        dialect: One of ``FORMS``.

    Raises:
        sqlglot.errors.SqlglotError: The query cannot be translated.
    """
    forms = FORMS[dialect]
    back = {id(node) for node in query.find_all(exp.AtTimeZone) if node.this.find(exp.AtTimeZone)}
    for node in reversed(list(query.walk())):
        form = _form(node, forms, id(node) in back)
        if form is not None:
            made = _filled(form, dialect, *_operands(node))
            query = made if node is query else query
            node.replace(made)
    _adjust_names(query, forms)
    sql: str = query.sql(dialect, identify=True, comments=False, unsupported_level=sqlglot.ErrorLevel.RAISE)
    return sql + forms.settings


def _form(node: exp.Expr, forms: Forms, is_back: bool) -> str | None:
    """Returns the form of a node; None if sqlglot translates it."""
    for kind, form_of in _KINDS.items():
        if isinstance(node, kind):
            return form_of(node, forms, is_back)
    return None


def _at_time_zone(_: exp.Expr, forms: Forms, is_back: bool) -> str | None:
    return forms.instant if is_back else forms.wall_clock


def _extracted(node: exp.Expr, forms: Forms, _: bool) -> str | None:
    return forms.seconds if node.name.upper() == "EPOCH" else None


def _truncated(node: exp.Expr, forms: Forms, _: bool) -> str | None:
    return forms.truncated and forms.truncated.format(unit=node.text("unit").upper())


def _variance(_: exp.Expr, forms: Forms, __: bool) -> str | None:
    return forms.variance


def _sum(node: exp.Expr, forms: Forms, _: bool) -> str | None:
    times = node.expression
    is_seconds = isinstance(times, exp.Mul) and isinstance(times.expression, exp.Interval)
    return forms.add_seconds if is_seconds else None


def _json_value(node: exp.Expr, forms: Forms, _: bool) -> str | None:
    keys = node.expression.sql().strip("'").removeprefix("$.").split(".")
    told = forms.json_value.format(path=".".join(keys), keys=", ".join(f"'{key}'" for key in keys))
    return re.sub(r"\b_0\b", lambda _: forms.json_text, told)


def _called(node: exp.Expr, forms: Forms, _: bool) -> str | None:
    return f"CASE WHEN NOT _0 IS NULL THEN {forms.to_json} END" if node.name.upper() == "TO_JSON" else None


def _cast(node: exp.Expr, forms: Forms, _: bool) -> str | None:
    to = node.args["to"]
    if to.is_type(exp.DataType.Type.JSON):
        return f"CAST(_0 AS {forms.json})"
    if to.is_type(exp.DataType.Type.DECIMAL):
        return forms.decimal and forms.decimal.format(scale=to.expressions[1].name)
    if to.is_type(exp.DataType.Type.TIMESTAMPTZ):
        return forms.timestamp
    return None


_KINDS: dict[type[exp.Expr], Callable[[exp.Expr, Forms, bool], str | None]] = {
    exp.AtTimeZone: _at_time_zone,
    exp.Extract: _extracted,
    exp.TimestampTrunc: _truncated,
    exp.Add: _sum,
    exp.JSONExtractScalar: _json_value,
    exp.Anonymous: _called,
    exp.Cast: _cast,
    exp.VariancePop: _variance,
}


def _operands(node: exp.Expr) -> tuple[exp.Expr, ...]:
    if isinstance(node, exp.Extract):
        return (node.expression,)
    if isinstance(node, exp.Anonymous):
        return tuple(node.expressions)
    if isinstance(node, exp.JSONExtractScalar):
        return (node.this.unnest().this if isinstance(node.this.unnest(), exp.Cast) else node.this,)
    if isinstance(node, exp.Add):
        return (node.this, node.expression.this)
    return (node.this,)


def _filled(form: str, dialect: str, *operands: exp.Expr) -> exp.Expr:
    made = sqlglot.parse_one(form, read=dialect)
    for place in list(made.find_all(exp.Column)):
        if re.fullmatch(r"_\d", place.name):
            operand = operands[int(place.name[1:])].copy()
            if place is made:
                return operand
            place.replace(exp.paren(operand) if isinstance(operand, exp.Binary) else operand)
    return made


def _adjust_names(query: exp.Expr, forms: Forms) -> None:
    """Adjusts what is not a matter of one expression: names, intervals and arrays."""
    for name in query.find_all(exp.Identifier):
        if isinstance(name.parent, exp.Alias):
            name.set("this", name.name.replace(".", forms.dots))
        if forms.folds_up and not name.quoted:
            name.set("this", name.name.upper())
    for interval in query.find_all(exp.Interval) if forms.whole_intervals else ():
        interval.set("this", exp.Literal.number(interval.this.name) if interval.this.is_string else interval.this)
    for array in () if forms.has_null_arrays else query.find_all(exp.Array):
        case = array.find_ancestor(exp.Case)
        if case is not None:
            case.set("default", exp.Array(expressions=[]))
    for cte in () if forms.names_columns_of_ctes else query.find_all(exp.CTE):
        cte.args["alias"].set("columns", [])
