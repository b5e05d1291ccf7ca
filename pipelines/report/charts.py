"""The charts of the HTML page as Vega-Lite specifications. Their rows depend on the filters of the page.

``$name`` stands for a colour of the page's style sheet, which has one set of colours for light and one for dark mode.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import altair as alt

HEIGHT = 240
ROWS = alt.NamedData("rows")
TICKS = alt.expr("width < 500 ? 4 : 8")
DAYS = (
    "utchours(datum.value) ? '' : utcmonth(datum.value) == 0 && utcdate(datum.value) == 1"
    " ? utcFormat(datum.value, '%Y') : datum.label"
)
NOTHING = alt.Y2Datum(0)
SECONDS = [0.001, 0.01, 0.1, 1, 10, 60, 600, 3600, 36000, 360000]
FROM_SECONDS = (
    "datum.value < 1 ? format(datum.value * 1000, '~r') + ' ms' : datum.value < 60 ? format(datum.value, '~r') + ' s'"
    " : datum.value < 3600 ? format(datum.value / 60, '.2~r') + ' min' : format(datum.value / 3600, '.2~r') + ' h'"
)


def specs(groups: Mapping[str, int]) -> dict[str, dict[str, Any]]:
    """Returns all charts by the id of their figure.

    Args:
        groups: Groups by which spend is stacked, from the bottom, and the number of their colour.
    """
    charts = {
        "spend": _spend(groups),
        "workflows": _ranked(),
        "models": _ranked(),
        "tokens": _stacked_tokens(),
        "latency": _latency(),
        "failures": _failures(),
        "budget": _budget(),
        "bill": _ranked(),
        "anomalies": _anomalies(),
        "reconciliation": _reconciliation(),
    }
    return {name: _plain(chart) for name, chart in charts.items()}


def _day(**axis: Any) -> alt.X:
    labels = {
        "title": None,
        "grid": False,
        "labelOverlap": True,
        "tickCount": TICKS,
        "format": "%-d %b",
        "labelExpr": DAYS,
    } | axis
    return alt.X("day:T", scale=alt.Scale(type="utc"), axis=alt.Axis(**labels))


def _bar_span() -> dict[str, Any]:
    """Returns the x encoding of a bar that covers its day, week or month, except for a small gap."""
    return {"x": _day(), "x2": alt.X2("end:T")}


def _amount(field: str, axis_format: str = "$,~f", **more: Any) -> alt.Y:
    return alt.Y(f"{field}:Q", axis=alt.Axis(title=None, format=axis_format, tickCount=5, labelOverlap=True), **more)


def _tooltip(*fields: str) -> list[alt.Tooltip]:
    return [alt.Tooltip(f"{field}:N", title=field.replace("_", " ")) for field in fields]


def _spend(colours: Mapping[str, int]) -> Any:
    groups = list(colours)
    colour = alt.Color(
        "item:N",
        scale=alt.Scale(domain=groups, range=[f"$c{colours[group]}" for group in groups]),
        legend=alt.Legend(title=None, orient="top", columns=alt.expr("width < 500 ? 2 : 5"), labelLimit=150),
    )
    return _sized(
        alt.Chart(ROWS)
        .mark_bar(stroke="$ground", strokeWidth=0.5)
        .encode(
            **_bar_span(),
            y=_amount("from"),
            y2=alt.Y2("upto:Q"),
            color=colour,
            tooltip=_tooltip("period", "item", "spend"),
        ),
        300,
    )


def _ranked() -> Any:
    names = alt.Y("label:N", sort=None, axis=alt.Axis(title=None, labelLimit=190, domain=False, ticks=False))
    amount = alt.X("cost:Q", axis=alt.Axis(title=None, format="$,~f", tickCount=TICKS, labelOverlap=True))
    bars = alt.Chart(ROWS).mark_bar(height={"band": 0.68})
    encoded = bars.encode(x=amount, y=names, tooltip=_tooltip("name", "spend", "share"))
    return _sized(encoded).properties(usermeta={"heightOfRow": 26})  # Vega-Lite warns about alt.Step


def _stacked_tokens() -> Any:
    colour = alt.Color(
        "kind:N",
        scale=alt.Scale(domain=["input", "output"], range="category"),
        legend=alt.Legend(title=None, orient="top"),
    )
    return _sized(
        alt.Chart(ROWS)
        .mark_bar()
        .encode(
            **_bar_span(),
            y=_amount("from", "~s"),
            y2=alt.Y2("upto:Q"),
            color=colour,
            tooltip=_tooltip("period", "kind", "shown"),
        )
    )


def _latency() -> Any:
    names = ["p50", "p95", "p99"]
    colour = alt.Color(
        "percentile:N",
        scale=alt.Scale(domain=names, range="category"),
        legend=alt.Legend(title=None, orient="top", symbolType="stroke"),
    )
    dash = alt.StrokeDash("percentile:N", scale=alt.Scale(domain=names, range=[[1, 0], [6, 3], [2, 2]]))
    axis = alt.Axis(title=None, labelExpr=FROM_SECONDS, values=SECONDS, labelOverlap=True)
    seconds = alt.Y("seconds:Q", scale=alt.Scale(type="log", nice=True), axis=axis)
    base = alt.Chart(ROWS).encode(x=_day(), y=seconds, color=colour, tooltip=_tooltip("period", "percentile", "took"))
    return _sized(
        alt.layer(
            base.mark_line(strokeWidth=2).encode(strokeDash=dash), base.mark_point(size=16, filled=True, opacity=1)
        )
    )


def _failures() -> Any:
    return _sized(
        alt.Chart(ROWS)
        .mark_bar()
        .encode(
            **_bar_span(),
            y=_amount("share", "~%"),
            y2=NOTHING,
            color=alt.value("$failed"),
            tooltip=_tooltip("period", "failed", "share_failed"),
        )
    )


def _budget() -> Any:
    spent = alt.Chart(ROWS).encode(x=_day(), y=_amount("spend"))
    ahead = alt.Chart(alt.NamedData("forecast")).encode(x=_day())
    band = ahead.mark_area(opacity=0.2).encode(y=alt.Y("low:Q"), y2=alt.Y2("high:Q"))
    line = ahead.mark_line(strokeDash=[6, 4], strokeWidth=2).encode(
        y=alt.Y("spend:Q"), tooltip=_tooltip("period", "forecast")
    )
    limit = alt.Chart(alt.NamedData("limit")).encode(y=alt.Y("limit:Q"))
    rule = limit.mark_rule(strokeWidth=1.5, color="$failed")
    named = limit.mark_text(align="left", dy=-7, x=4).encode(text="label:N")
    so_far = spent.mark_area(line=True, opacity=0.3)
    points = spent.mark_point(filled=True, size=30).encode(tooltip=_tooltip("period", "spent"))
    return _sized(alt.layer(band, so_far, line, points, rule, named))


def _anomalies() -> Any:
    base = alt.Chart(ROWS).encode(x=_day())
    stems = base.mark_rule(strokeWidth=2, color="$soft").encode(y=_amount("expected"), y2=alt.Y2("cost:Q"))
    heads = base.mark_point(filled=True, size=80, opacity=1).encode(
        y=alt.Y("cost:Q"), tooltip=_tooltip("period", "name", "spend", "expectation", "driver")
    )
    ticks = base.mark_tick(thickness=2, width=12, orient="horizontal", color="$soft").encode(y=alt.Y("expected:Q"))
    span = alt.Chart(alt.NamedData("span")).mark_point(opacity=0).encode(x=_day())  # covers all selected days
    return _sized(alt.layer(span, stems, ticks, heads), 180)


def _reconciliation() -> Any:
    base = alt.Chart(ROWS)
    items = base.mark_bar(opacity=0.75).encode(
        **_bar_span(), y=_amount("itemised"), y2=NOTHING, tooltip=_tooltip("period", "items", "runs", "difference")
    )
    said = base.mark_rule(strokeWidth=2, color="$ink").encode(**_bar_span(), y=alt.Y("said:Q"))
    return _sized(alt.layer(items, said))


def _sized(chart: Any, height: int = HEIGHT) -> Any:
    return chart.properties(width="container", height=height)


def _plain(chart: Any) -> dict[str, Any]:
    found: dict[str, Any] = chart.to_dict()
    found.pop("config", None)
    found.pop("$schema", None)
    return found
