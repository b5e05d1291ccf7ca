"""The charts of the page, as Vega-Lite; their rows come with the page and change with its filters.

Colours are the page's, which has one set for light and one for dark: a palette by position, and ``$name`` for those of
its style sheet.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt

HEIGHT = 240
ROWS = alt.NamedData("rows")


def specs(groups: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Every chart by its figure's id.

    Args:
        groups: What spend is stacked by, the largest first; the palette's colours follow their order.
    """
    charts = {
        "spend": _spend(groups),
        "workflows": _ranked(),
        "models": _ranked(),
        "tokens": _stacked_tokens(),
        "latency": _latency(),
        "failures": _failures(),
        "budget": _budget(),
        "anomalies": _anomalies(),
        "reconciliation": _reconciliation(),
    }
    return {name: _plain(chart) for name, chart in charts.items()}


def _day(**axis: Any) -> alt.X:
    labels = {"title": None, "grid": False, "labelOverlap": True, "tickCount": 8, "format": "%-d %b"} | axis
    return alt.X("day:T", scale=alt.Scale(type="utc"), axis=alt.Axis(**labels))


def _bar_span() -> dict[str, Any]:
    """A bar from the beginning of its day, week or month to its end, less a little."""
    return {"x": _day(), "x2": alt.X2("end:T")}


def _amount(field: str, axis_format: str = "$,~f", **more: Any) -> alt.Y:
    return alt.Y(f"{field}:Q", axis=alt.Axis(title=None, format=axis_format, tickCount=5), **more)


def _tooltip(*fields: str) -> list[alt.Tooltip]:
    return [alt.Tooltip(f"{field}:N", title=field.replace("_", " ")) for field in fields]


def _spend(groups: Sequence[str]) -> alt.Chart:
    colour = alt.Color(
        "item:N",
        scale=alt.Scale(domain=list(groups), range="category"),
        legend=alt.Legend(title=None, orient="top", columns=4, labelLimit=180),
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


def _ranked() -> alt.Chart:
    names = alt.Y("label:N", sort=None, axis=alt.Axis(title=None, labelLimit=190, domain=False, ticks=False))
    amount = alt.X("cost:Q", axis=alt.Axis(title=None, format="$,~f", tickCount=5))
    chart = (
        alt.Chart(ROWS)
        .mark_bar(height={"band": 0.68})
        .encode(x=amount, y=names, tooltip=_tooltip("name", "spend", "share"))
    )
    return chart.properties(width="container", height=alt.Step(26))


def _stacked_tokens() -> alt.Chart:
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


def _latency() -> alt.LayerChart:
    names = ["p50", "p95", "p99"]
    colour = alt.Color(
        "percentile:N",
        scale=alt.Scale(domain=names, range="category"),
        legend=alt.Legend(title=None, orient="top", symbolType="stroke"),
    )
    dash = alt.StrokeDash("percentile:N", scale=alt.Scale(domain=names, range=[[1, 0], [6, 3], [2, 2]]))
    base = alt.Chart(ROWS).encode(
        x=_day(), y=_amount("seconds", "~s", scale=alt.Scale(zero=True)), color=colour,
        tooltip=_tooltip("period", "percentile", "took"),
    )  # fmt: skip
    return _sized(
        alt.layer(base.mark_line(strokeWidth=2).encode(strokeDash=dash), base.mark_point(size=24, filled=True))
    )


def _failures() -> alt.Chart:
    return _sized(
        alt.Chart(ROWS)
        .mark_bar()
        .encode(
            **_bar_span(),
            y=_amount("share", "~%"),
            color=alt.value("$failed"),
            tooltip=_tooltip("period", "failed", "share_failed"),
        )
    )


def _budget() -> alt.LayerChart:
    spent = alt.Chart(ROWS).encode(x=_day(), y=_amount("spend"))
    ahead = alt.Chart(alt.NamedData("forecast")).encode(x=_day())
    band = ahead.mark_area(opacity=0.2).encode(y=alt.Y("low:Q"), y2=alt.Y2("high:Q"))
    line = ahead.mark_line(strokeDash=[6, 4], strokeWidth=2).encode(
        y=alt.Y("spend:Q"), tooltip=_tooltip("period", "forecast")
    )
    limit = alt.Chart(alt.NamedData("limit")).encode(y=alt.Y("limit:Q"))
    rule = limit.mark_rule(strokeWidth=1.5, color="$failed")
    named = limit.mark_text(align="left", dy=-7, x=4).encode(text="label:N")
    so_far = spent.mark_area(line=True, opacity=0.3, interpolate="step-after")
    points = spent.mark_point(filled=True, size=30).encode(tooltip=_tooltip("period", "spent"))
    return _sized(alt.layer(band, so_far, line, points, rule, named))


def _anomalies() -> alt.LayerChart:
    base = alt.Chart(ROWS).encode(x=_day())
    stems = base.mark_rule(strokeWidth=2).encode(y=_amount("expected"), y2=alt.Y2("cost:Q"))
    heads = base.mark_point(filled=True, size=70).encode(
        y=alt.Y("cost:Q"), tooltip=_tooltip("period", "name", "spend", "expectation", "driver")
    )
    ticks = base.mark_tick(thickness=2, width=12, orient="horizontal").encode(y=alt.Y("expected:Q"))
    return _sized(alt.layer(stems, ticks, heads))


def _reconciliation() -> alt.LayerChart:
    base = alt.Chart(ROWS)
    items = base.mark_bar(opacity=0.75).encode(
        **_bar_span(), y=_amount("itemised"), tooltip=_tooltip("period", "items", "runs", "difference")
    )
    said = base.mark_rule(strokeWidth=2, color="$ink").encode(**_bar_span(), y=alt.Y("said:Q"))
    return _sized(alt.layer(items, said))


def _sized(chart: Any, height: int = HEIGHT) -> Any:
    return chart.properties(width="container", height=height)


def _plain(chart: Any) -> dict[str, Any]:
    found: dict[str, Any] = chart.to_dict()
    found.pop("config", None)
    found.pop("$schema", None)
    return found | {"autosize": {"type": "fit-x", "contains": "padding"}}
