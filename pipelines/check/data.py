"""``sim-sync check --data``: checks the consistency of the stored rows. Queries the destination only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sim_source import TABLES
from sim_source.errors import ConfigurationError
from sim_source.rows.billing_rows import USD_PER_CREDIT
from sim_source.schema import Reference, Table

from ..destination.questions import QueryResult, as_json_value, ask, stored_relations
from ..destination.target import Target

EXAMPLES = 5
LONGEST_RUN, LONGEST_OF_ENTERPRISE = timedelta(hours=2), timedelta(days=7, hours=1)
"""The longest time a run may take. Plans allow up to 90 minutes, Enterprise 7 days (Sim's documentation), and the
server's sweep may take another half hour to end a run. If billing is off (cost 0, limit 99999), there is no bound."""
SPEND_TOLERANCE = 0.01
"""Tolerance (USD, and share of the spend): the account's spend is read some minutes before the last runs."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A consistency rule.

    Attributes:
        what: The rule, in words.
        needs: Tables and views that it reads, and columns (``logs.id``) that an earlier version may not have had.
        broken: Query for rows that break it, at most ``EXAMPLES``. The first column, ``broken``, counts all of them.
        told: Query for the number of rows checked.
        of: What that number counts.
    """

    what: str
    needs: tuple[str, ...]
    broken: str
    told: str
    of: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of checking a rule.

    Attributes:
        what: The rule, in words.
        ok: Whether it holds; None if something that it needs is missing.
        told: What was found, in words.
        broken: Number of rows that break it.
        examples: Some of these rows, by column name.
    """

    what: str
    ok: bool | None
    told: str
    broken: int = 0
    examples: tuple[dict[str, Any], ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Returns the object that ``--json`` prints."""
        examples = [{name: as_json_value(value) for name, value in each.items()} for each in self.examples]
        return {"what": self.what, "ok": self.ok, "told": self.told, "broken": self.broken, "examples": examples}


def try_rules(target: Target) -> list[Verdict]:
    """Checks every rule.

    Raises:
        ConfigurationError: Nothing has been synced there yet.
        TryLater: A sync is writing to the file.
    """
    there = stored_relations(target)
    if not {"logs", "_dlt_loads"} <= there:
        raise ConfigurationError(f"nothing was synced into {target} yet; run sim-sync run first")
    return [_look(target, rule, there) for rule in rules()]


def _look(target: Target, rule: Rule, there: frozenset[str]) -> Verdict:
    missing = [name for name in rule.needs if name not in there]
    missing = [name for name in missing if name.partition(".")[0] not in missing or "." not in name]
    if missing:
        return Verdict(rule.what, None, f"not checked: missing {', '.join(missing)}")
    broken = _asked(target, rule.broken)
    (seen,) = _asked(target, rule.told).rows[0]
    if not broken.rows:
        return Verdict(rule.what, True, f"{seen:,} {rule.of}")
    count = int(broken.rows[0][0])
    examples = tuple({name: value for name, value in row.items() if name != "broken"} for row in broken.dicts)
    return Verdict(rule.what, False, f"{count:,} of {seen:,} {rule.of} break this rule", count, examples)


def _asked(target: Target, sql: str) -> QueryResult:
    return ask(target, sql.format(dataset=target.dataset))


def rules() -> Iterator[Rule]:
    """Yields all rules in the order in which they are reported."""
    yield Rule(
        "the cost items of every run add up to its cost exactly",
        ("cost_reconciliation",),
        _broken("id, cost_total, itemised_cost, difference", "cost_reconciliation WHERE NOT reconciled"),
        _count("logs"),
        "runs",
    )
    for table in TABLES.values():
        yield _keyed(table)
    for table in TABLES.values():
        yield from (_belongs(table, reference) for reference in table.references if reference.always)
    yield _ended()
    yield _spent()
    yield _billed()
    yield _billed_runs()


def _keyed(table: Table) -> Rule:
    key = ", ".join(table.key)
    later = {column.name for column in table.columns if column.later}
    nothing = " OR ".join(f"{column} IS NULL" for column in table.key if column not in later)
    return Rule(
        f"every row of {table.name} has a key, and the key is unique",
        (table.name, *(f"{table.name}.{column}" for column in table.key)),
        _broken(f"{key}, COUNT(*) AS times", f"{table.name} GROUP BY {key} HAVING COUNT(*) > 1 OR {nothing}"),
        _count(table.name),
        "rows",
    )


def _belongs(table: Table, to: Reference) -> Rule:
    return Rule(
        f"every row of {table.name} belongs to a row of {to.table}",
        (table.name, to.table),
        _broken(
            f"c.{to.column}, COUNT(*) AS times",
            f"{table.name} AS c LEFT JOIN {{dataset}}.{to.table} AS o ON o.{to.key} = c.{to.column} "
            f"WHERE o.{to.key} IS NULL GROUP BY c.{to.column}",
        ),
        _count(table.name),
        "rows",
    )


def _ended() -> Rule:
    """With several accounts, the plan that allows most counts: not every run is known to be of a certain account."""
    hours, most = (f"{length.total_seconds() / 3600:.0f}" for length in (LONGEST_RUN, LONGEST_OF_ENTERPRISE))
    readings = (
        "SELECT plan, current_period_cost, usage_limit, "
        "ROW_NUMBER() OVER (PARTITION BY COALESCE(account, 'default') ORDER BY observed_at DESC) AS age "
        "FROM {dataset}.usage"
    )
    plans = (
        "SELECT MAX(CASE WHEN LOWER(plan) LIKE 'enterprise%' THEN 1 END) AS has_enterprise, "
        "MAX(CASE WHEN current_period_cost = 0 AND usage_limit = 99999 THEN 1 END) AS has_no_bound "
        f"FROM ({readings}) AS r WHERE age = 1"
    )
    longest = f"CASE WHEN u.has_enterprise = 1 THEN INTERVAL '{most} hours' ELSE INTERVAL '{hours} hours' END"
    return Rule(
        "no run was still running at the last load although it exceeded the longest time that its plan allows",
        ("logs", "usage", "_dlt_loads"),
        _broken(
            "l.id, l.workflow_name, l.started_at",
            f"logs AS l CROSS JOIN ({plans}) AS u WHERE l.status = 'running' AND l.started_at + {longest} < "
            "(SELECT MAX(inserted_at) FROM {dataset}._dlt_loads WHERE status = 0) AND u.has_no_bound IS NULL",
        ),
        _count("logs WHERE status = 'running'"),
        "running runs",
    )


def _spent() -> Rule:
    known = "budget WHERE period_source = 'billing' AND runs_cost IS NOT NULL"
    return Rule(
        "the runs of the billing period cost no more than the account's spend",
        ("budget",),
        _broken(
            "account, period_start, spend, runs_cost",
            f"{known} AND runs_cost > spend * {1 + SPEND_TOLERANCE} + {SPEND_TOLERANCE}",
        ),
        _count(known),
        "billing periods",
    )


def _billed() -> Rule:
    told = (
        "(SELECT (SELECT COALESCE(SUM(credits), 0) FROM {dataset}.bill) AS billed, "
        "(SELECT COALESCE(SUM(credits), 0) FROM {dataset}.billing_logs) AS ledger) AS told"
    )
    return Rule(
        "the bills of all periods add up to the billing ledger",
        ("bill", "billing_logs"),
        f"SELECT 1 AS broken, billed, ledger FROM {told} WHERE billed <> ledger",
        _count("billing_logs"),
        "events",
    )


def _billed_runs() -> Rule:
    """Sim rounds each event to whole credits, up or down; a run that ended after the newest event may lack some.

    The newest event of its workspace counts: the ledgers of other accounts may have been read later.
    """
    runs = (
        "(SELECT l.id, MAX(l.cost_total) AS cost_total, SUM(e.cost_usd) AS billed, COUNT(*) AS events "
        "FROM {dataset}.logs AS l JOIN {dataset}.billing_logs AS e ON e.execution_id = l.execution_id "
        "WHERE e.source = 'workflow' AND l.cost_total IS NOT NULL AND l.status IN ('completed', 'failed', 'cancelled') "
        "AND l.ended_at < (SELECT MAX(n.created_at) FROM {dataset}.billing_logs AS n "
        "WHERE COALESCE(n.workspace_id, '') = COALESCE(l.workspace_id, '')) GROUP BY l.id) AS runs"
    )
    return Rule(
        "the ledger charges for every run what the run cost, up to a credit an event",
        ("logs", "billing_logs"),
        f"SELECT COUNT(*) OVER () AS broken, id, cost_total, billed, events FROM {runs} "
        f"WHERE ABS(billed - cost_total) > {USD_PER_CREDIT} * events LIMIT {EXAMPLES}",
        f"SELECT COUNT(*) FROM {runs}",
        "runs in the ledger",
    )


def _broken(columns: str, rest: str) -> str:
    return f"SELECT COUNT(*) OVER () AS broken, {columns} FROM {{dataset}}.{rest} LIMIT {EXAMPLES}"


def _count(rest: str) -> str:
    return f"SELECT COUNT(*) FROM {{dataset}}.{rest}"
