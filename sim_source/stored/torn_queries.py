"""Queries for runs whose tables disagree: a load was interrupted between them, and the rest of it is lost. Pure.

Each returns ids and starts of runs, newest first, and takes the workspace id for every placeholder.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from ..run_tables import COST_ITEMS, LOG_DETAILS, TRACE_SPANS

TORN_AT_ONCE = 5_000
"""Most runs with disagreeing tables that one sync reads again."""

_DETAILS = "LEFT JOIN {log_details} d ON d.id = l.id"
_SUM_OF_ITEMS = """
    LEFT JOIN (
        SELECT log_id, sum(total_cost) AS total,
            max(CASE WHEN kind = 'unknown' THEN 1 ELSE 0 END) AS unread,
            max(CASE WHEN kind = 'model' THEN 1 ELSE 0 END) AS split
        FROM {cost_items}
        WHERE workspace_id = %s
        GROUP BY log_id
    ) c ON c.log_id = l.id
"""
_COUNT_OF_SPANS = """
    LEFT JOIN (
        SELECT log_id, count(*) AS spans
        FROM {trace_spans}
        WHERE workspace_id = %s
        GROUP BY log_id
    ) t ON t.log_id = l.id
"""

_DETAIL_DIFFERS = "d.id IS NULL OR d.cost_total IS DISTINCT FROM l.cost_total"
_ITEMS_DIFFER = "coalesce(l.cost_total, 0) <> coalesce(c.total, 0)"
_SPANS_DIFFER = "coalesce(d.span_count, 0) <> coalesce(t.spans, 0)"
_SPLIT_IS_MISSING = "d.detail_source = 'detail' AND c.unread = 1 AND d.span_count > 0"
_SPLIT_IS_THERE = "c.split = 1"
_MODELS_WITHOUT_ITEMS = """
    c.unread = 0 AND c.total > 0 AND l.id IN (SELECT t.log_id FROM {trace_spans} t WHERE t.model IS NOT NULL)
"""


def torn(there: Collection[str]) -> str | None:
    """Finds runs for which one table has data that another lacks.

    Args:
        there: Tables that can be compared with ``logs``.

    Returns:
        The query; None if nothing can be compared.
    """
    details, items, spans = (table.name in there for table in (LOG_DETAILS, COST_ITEMS, TRACE_SPANS))
    joins = [(_DETAILS, details), (_SUM_OF_ITEMS, items), (_COUNT_OF_SPANS, details and spans)]
    clauses = [
        (_DETAIL_DIFFERS, details),
        (_ITEMS_DIFFER, items),
        (_SPANS_DIFFER, details and spans),
        (_SPLIT_IS_MISSING, details and items),
    ]
    if not details and not items:
        return None
    return _disagreeing([join for join, wanted in joins if wanted], [clause for clause, wanted in clauses if wanted])


def half_read(there: Collection[str]) -> str | None:
    """Finds runs whose cost split is stored, but whose detail holds only what lists provide; see ``torn``.

    A model that cost nothing has no cost item, but counts as a split all the same: its spans name it.
    """
    if not {LOG_DETAILS.name, COST_ITEMS.name} <= set(there):
        return None
    split = [_SPLIT_IS_THERE, *([_MODELS_WITHOUT_ITEMS] if TRACE_SPANS.name in there else [])]
    return _disagreeing([_DETAILS, _SUM_OF_ITEMS], [f"d.detail_source = 'list' AND ({_any(split)})"])


def _disagreeing(joins: Sequence[str], clauses: Sequence[str]) -> str:
    return f"""
        SELECT l.id, l.started_at
        FROM {{logs}} l {" ".join(joins)}
        WHERE l.workspace_id = %s AND ({_any(clauses)})
        ORDER BY l.started_at DESC
        LIMIT {TORN_AT_ONCE}
    """


def _any(clauses: Sequence[str]) -> str:
    return " OR ".join(f"({clause})" for clause in clauses)
