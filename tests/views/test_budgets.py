"""Budgets of several accounts in one dataset: worked out by hand, on DuckDB and on PostgreSQL."""

from __future__ import annotations

import pytest

from tests.helpers.tables import Place, Row, at, usd
from tests.views.test_budget import FIGURES, MIDDLE, daily, payer, period, telling, usage

NOVEMBER = ("2026-11-01", "2026-12-01")


def of(account: str | None, *rows: Row) -> list[Row]:
    """Rows of an account."""
    return [row | {"account": account} for row in rows]


def inside(workspace: str, *runs: Row) -> list[Row]:
    """Runs of a workspace."""
    return [run | {"workspace_id": workspace} for run in runs]


def budgets(place: Place, **tables: list[Row]) -> dict[str, Row]:
    """The rows of the view, by account."""
    place.fill(tables, ("usage", "billing_status", "logs", "log_details"))
    rows = place.dicts("SELECT * FROM sim.budget")
    assert next(iter(rows[0])) == "account"
    found = {
        row.pop("account"): {
            name: float(value) if FIGURES.match(name) and value is not None else value for name, value in row.items()
        }
        for row in rows
    }
    assert len(found) == len(rows)
    return found


def two_accounts() -> dict[str, list[Row]]:
    """Acme spends 46 of 100 USD, 3 a day in two workspaces; Beta 15 of 20, 1 a day in one."""
    return {
        "usage": [*of("acme", usage("2026-11-16 00:05", "46")), *of("beta", usage(MIDDLE, "15", "20"))],
        "logs": [
            *inside("ws-1", *daily("2026-10-20", 27, "2", "1")),
            *inside("ws-2", *daily("2026-10-20", 27, "2", "1")),
            *inside("ws-3", *daily("2026-10-20", 27, "1")),
        ],
    }


def payers() -> list[Row]:
    """Who pays for the three workspaces: Acme has a limit of 200 USD and a period of its own, Beta has no limit."""
    own = ("2026-11-10", "2026-12-10")
    return [
        *of("acme", *(payer(workspace, 8_000, 40_000, *own) for workspace in ("ws-1", "ws-2"))),
        *of("beta", payer("ws-3", 3_000, None, *NOVEMBER)),
    ]


def test_every_account_has_its_own_limit_spend_runs_and_period(place: Place) -> None:
    found = budgets(place, **two_accounts(), billing_status=payers())
    acme, beta = found["acme"], found["beta"]
    assert found.keys() == {"acme", "beta"}
    assert (acme["spend_source"], acme["spend"], acme["usage_limit"]) == ("billing_status", usd("40"), usd("200"))
    assert (beta["spend_source"], beta["spend"], beta["usage_limit"]) == ("billing_status", usd("15"), None)
    assert period(acme)[:3] == ("billing", at("2026-11-10").timestamp(), at("2026-12-10").timestamp())
    assert period(beta) == ("billing", at(NOVEMBER[0]).timestamp(), at(NOVEMBER[1]).timestamp(), 15, 15)
    assert (acme["runs_cost"], beta["runs_cost"]) == (usd("18"), usd("15"))  # of 6 days, of 15
    assert beta["burn_per_day"] == pytest.approx(1)
    assert (beta["burn_low"], beta["burn_high"], beta["forecast"]) == pytest.approx((1, 1, 30))
    days = 6 + 5 / 60 / 24
    assert acme["burn_per_day"] == pytest.approx(3 + 40 / days - 18 / days)  # 22 of 40 USD are not of runs
    assert acme["burn_low"] < acme["burn_per_day"] < acme["burn_high"]  # days cost 4 and 2


def test_without_billing_status_the_runs_of_several_accounts_are_unknown(place: Place) -> None:
    found = budgets(place, **two_accounts())
    acme, beta = found["acme"], found["beta"]
    assert (acme["spend"], acme["usage_limit"], beta["spend"], beta["usage_limit"]) == (46, 100, 15, 20)
    assert [row["period_source"] for row in found.values()] == ["calendar month"] * 2
    assert acme["burn_per_day"] == pytest.approx(46 / (15 + 5 / 60 / 24))
    assert (beta["burn_per_day"], beta["forecast"], beta["over_limit"]) == (pytest.approx(1), pytest.approx(30), True)
    for row in found.values():
        assert [row[name] for name in ("runs_cost", "burn_low", "burn_high", "forecast_low")] == [None] * 4


def test_one_account_of_two_may_have_billing_status(place: Place) -> None:
    found = budgets(place, **two_accounts(), billing_status=payers()[:2])
    assert (found["acme"]["spend"], found["acme"]["runs_cost"]) == (usd("40"), usd("18"))
    assert (found["beta"]["spend"], found["beta"]["runs_cost"], found["beta"]["burn_high"]) == (usd("15"), None, None)


def test_periods_told_by_runs_and_steps_of_usage_are_those_of_the_account(place: Place) -> None:
    told = [
        telling("2026-11-10", "2026-11-06T00:00:00.000Z", "2026-12-06T00:00:00.000Z"),
        telling("2026-11-12", "1970-01-01T00:00:00.000Z", "9999-12-31T00:00:00.000Z"),
    ]
    logs = inside("ws-1", told[0][0]) + inside("ws-3", told[1][0])
    unseen = {"credits_used": None, "credits_limit": None, "period_start": None, "period_end": None}
    seen = [*of("acme", usage("2026-11-12", "80"), usage(MIDDLE, "90")), *of("beta", usage("2026-11-11", "3"))]
    found = budgets(
        place,
        usage=[*seen, *of("beta", usage(MIDDLE, "13"))],
        logs=logs,
        log_details=[detail for _, detail in told],
        billing_status=[row | unseen for row in payers()],
    )
    assert period(found["acme"])[:2] == ("billing", at("2026-11-06").timestamp())
    assert found["acme"]["burn_per_day"] == pytest.approx(90 / 10)
    assert (found["beta"]["period_source"], found["beta"]["period_start"]) == ("none", None)
    assert found["beta"]["burn_per_day"] == pytest.approx(10 / 5)  # from 3 to 13; Acme's 80 is no step of it


def test_an_account_that_was_named_later_has_one_budget(place: Place) -> None:
    named = {
        "usage": [*of(None, usage("2026-11-14", "40")), *of("default", usage("2026-11-15", "43"))],
        "logs": inside("ws-1", *daily("2026-10-20", 27, "4", "2")),
        "billing_status": of("default", payer("ws-0", 1, 2, observed="2026-11-15")),
    }
    before = budgets(place, **named)
    assert before.keys() == {"default"}
    assert before["default"]["observed_at"].timestamp() == at("2026-11-15").timestamp()
    named["usage"] += of("acme", usage("2026-11-15 01:00", "43"), usage(MIDDLE, "46"))
    named["logs"] += inside("ws-0", *daily("2026-11-10", 6, "0.5"))
    after = budgets(place, **named)
    assert after.keys() == {"acme"}
    assert (after["acme"]["spend"], after["acme"]["runs_cost"]) == (usd("46"), usd("49"))  # all runs are its own
    named["usage"] += of("default", usage("2026-11-16 06:00", "9"))  # as another machine still syncs without a name
    assert budgets(place, **named).keys() == {"acme", "default"}


@pytest.mark.parametrize(("last_read", "known"), [("2026-11-09", True), ("2026-11-08 23:59", False)])
def test_an_account_that_is_not_synced_any_more_has_no_budget_after_a_week(
    place: Place, last_read: str, known: bool
) -> None:
    tables = two_accounts()
    tables["usage"] = [*of("acme", usage(MIDDLE, "46")), *of("beta", usage(last_read, "15", "20"))]
    found = budgets(place, **tables, billing_status=payers())
    assert ("beta" in found) == known
    assert found["acme"]["runs_cost"] == usd("18")  # the runs of its former neighbour are not its own


def test_an_account_that_was_last_read_years_ago_stays_if_there_is_no_other(place: Place) -> None:
    assert budgets(place, usage=of("acme", usage("2020-01-16", "46"))).keys() == {"acme"}


def test_an_account_where_billing_is_off_is_still_an_account(place: Place) -> None:
    tables = two_accounts()
    tables["usage"][1] |= {"current_period_cost": usd("0"), "usage_limit": usd("99999")}
    found = budgets(place, **tables)
    assert found.keys() == {"acme"}
    assert found["acme"]["runs_cost"] is None  # not the runs of both


def test_a_workspace_belongs_to_the_account_that_read_it_last(place: Place) -> None:
    moved = [
        *payers(),
        *of("acme", payer("ws-3", 8_000, 40_000, "2026-11-10", "2026-12-10", observed="2026-11-16 01:00")),
    ]
    found = budgets(place, **two_accounts(), billing_status=moved)
    assert (found["acme"]["runs_cost"], found["beta"]["runs_cost"]) == (usd("24"), None)
    assert place.ask("SELECT workspace_id, account FROM sim.workspace_accounts ORDER BY workspace_id") == [
        ("ws-1", "acme"), ("ws-2", "acme"), ("ws-3", "acme"),
    ]  # fmt: skip
