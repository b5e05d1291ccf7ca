"""The chart of ``docs/bench.md``: how many times as fast, with the span of all rounds and what must be reached."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import altair as alt
import vl_convert

from bench.report import Bar

WIDTH, ROW = 420, 46
"""Of the plot and of one bar with its distance, in pixels."""
INK, PALE, BAR, MUST = "#24292f", "#8c959f", "#4c8fbd", "#bf5600"
STYLE: dict[str, Any] = {
    "background": "white",
    "padding": 12,
    "font": "sans-serif",
    "view": {"stroke": None},
    "title": {"anchor": "start", "frame": "group", "color": INK, "fontSize": 15, "offset": 14},
    "text": {"color": INK, "fontSize": 13, "fontWeight": "bold"},
    "axis": {
        "labelColor": INK,
        "labelFontSize": 12,
        "titleColor": INK,
        "titleFontSize": 11,
        "titleFontWeight": "normal",
        "titlePadding": 10,
        "gridColor": "#e6e8eb",
        "domainColor": PALE,
        "tickColor": PALE,
    },
}


def svg(bars: list[Bar], title: str) -> str:
    """The chart as SVG, on white, so that it can be read on any page."""
    return vl_convert.vegalite_to_svg(spec(bars, title), config=STYLE)


def spec(bars: list[Bar], title: str) -> dict[str, Any]:
    """The chart in Vega-Lite."""
    rows = [
        asdict(bar)
        | {
            "label": f"{bar.what}\nagainst {bar.peer}",
            "text": f"{bar.median:.1f} ×",
            "end": max(bar.most, bar.bound),
        }
        for bar in bars
    ]
    axis = alt.Axis(
        labelExpr="split(datum.label, '\\n')",
        labelLineHeight=15,
        labelOffset=-8,
        labelPadding=9,
        labelLimit=260,
        ticks=False,
        domain=False,
    )
    at = alt.Y("label:N", sort=None, title=None, axis=axis, scale=alt.Scale(paddingInner=0.55, paddingOuter=0.3))
    scale = alt.Scale(domain=[0, 1.12 * max(row["end"] for row in rows)], nice=False)
    explained = "times as fast: median; least to most of all rounds (line); what must be reached (mark)"
    base = alt.Chart(alt.InlineData(values=rows)).encode(y=at)
    value = alt.X("median:Q", scale=scale, axis=alt.Axis(tickCount=6, title=explained))
    chart = alt.layer(
        base.mark_bar(color=BAR, cornerRadiusEnd=2).encode(x=value),
        base.mark_rule(color=INK, strokeWidth=1.5).encode(x="least:Q", x2="most:Q"),
        base.mark_tick(color=MUST, opacity=1, thickness=2.5, size=28).encode(x="bound:Q"),
        base.mark_text(align="left", dx=7).encode(x="end:Q", text="text:N"),
    )
    return chart.properties(title=title, width=WIDTH, height=alt.Step(ROW)).to_dict()
