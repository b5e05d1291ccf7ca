"""What an account has spent of its limit and where that leads: worked out by hand, on DuckDB and on PostgreSQL."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import timedelta
from itertools import count
from math import sqrt
from typing import Any

import pytest

from tests.helpers.tables import Place, Row, at, usd

NOON = timedelta(hours=12)
MIDDLE = "2026-11-16"  # of a month of 30 days, a Monday: 15 days are over, 15 to come
FIGURES = re.compile("burn|forecast|days|spend_share")  # worked out; what is known stays exact
_ids = count()


def usage(observed: str, spend: str | None, limit: str | None = "100") -> Row:
    """A row of ``usage``."""
    return {
        "observed_at": at(observed),
        "account": "default",
        "plan": "pro",
        "current_period_cost": None if spend is None else usd(spend),
        "usage_limit": None if limit is None else usd(limit),
    }


def run(moment: str, cost: str | None) -> Row:
    """A row of ``logs``."""
    return {"id": f"run-{next(_ids)}", "started_at": at(moment), "cost_total": None if cost is None else usd(cost)}


def daily(first: str, days: int, *costs: str) -> list[Row]:
    """A run at noon of every day; their costs recur."""
    return [
        run((at(first) + NOON + timedelta(days=day)).strftime("%Y-%m-%d %H:%M"), costs[day % len(costs)])
        for day in range(days)
    ]


def telling(moment: str, start: Any, end: Any) -> tuple[Row, Row]:
    """A free run, and its detail with the billing period."""
    told = run(moment, "0")
    period = {"start": start, "end": end, "source": "stripe"}
    data = {"billingAttribution": {"billingPeriod": period}, "hasTraceSpans": False}
    return told, {"id": told["id"], "detail_source": "detail", "execution_data": json.dumps(data)}


def budget(place: Place, asked: list[Row], runs: list[Row] | None = None, told: Sequence[tuple[Row, Row]] = ()) -> Row:
    """The one row of the view."""
    logs = [*(runs or []), *(log for log, _ in told)]
    tables = {"usage": asked, "logs": logs, "log_details": [detail for _, detail in told]}
    place.fill(tables, tuple(tables))
    (row,) = place.dicts("SELECT * FROM sim.budget")
    return {name: float(value) if FIGURES.match(name) and value is not None else value for name, value in row.items()}


def period(row: Row) -> tuple[Any, ...]:
    """Where the period comes from, its ends and the days in it."""
    ends = [None if row[name] is None else row[name].timestamp() for name in ("period_start", "period_end")]
    return (row["period_source"], *ends, row["days_elapsed"], row["days_left"])


def test_spend_limit_burn_and_forecast(place: Place) -> None:
    # the last 14 days, Nov 2 to 15, cost 2 and 4 in turn: 3 a day; Nov 1 cost 4, October is another period
    row = budget(place, [usage(MIDDLE, "46")], daily("2026-10-20", 27, "4", "2"))
    assert (row["plan"], row["spend"], row["usage_limit"], row["remaining"]) == ("pro", usd("46"), usd("100"), 54)
    assert (row["observed_at"].timestamp(), row["spend_share"]) == (at(MIDDLE).timestamp(), pytest.approx(0.46))
    assert (row["burn_per_day"], row["forecast"]) == pytest.approx((3, 46 + 15 * 3))
    assert (row["days_until_limit"], row["limit_at"], row["over_limit"]) == (pytest.approx(54 / 3), None, False)


def test_ranges_come_from_how_days_differ(place: Place) -> None:
    # each of 14 days is 1 off their mean: variance 14/13; Student's t for 80 % and 13 degrees of freedom is 1.350
    row = budget(place, [usage(MIDDLE, "46")], daily("2026-10-20", 27, "4", "2"))
    mean_off = 1.35 * sqrt(14 / 13 / 14)
    assert (row["burn_low"], row["burn_high"]) == pytest.approx((3 - mean_off, 3 + mean_off))
    sum_off = 1.35 * sqrt(14 / 13 * (15 + 15**2 / 14))  # 15 days of their own, and 15 times what the mean is off
    assert (row["forecast_low"], row["forecast_high"]) == pytest.approx((91 - sum_off, 91 + sum_off))


def test_a_range_does_not_go_below_what_is_spent(place: Place) -> None:
    row = budget(place, [usage(MIDDLE, "14")], [run("2026-10-01", "1"), run("2026-11-08", "14")])
    assert (row["burn_per_day"], row["burn_low"], row["forecast_low"]) == (pytest.approx(1), 0, 14)
    assert row["burn_high"] == pytest.approx(
        1 + 1.35
    )  # one day of 14 and thirteen of 0: deviation √14, of their mean 1


def test_days_that_are_all_the_same_leave_no_range(place: Place) -> None:
    row = budget(place, [usage(MIDDLE, "1.5")], daily("2026-10-20", 27, "0.1"))
    assert (row["burn_low"], row["burn_high"]) == pytest.approx((0.1, 0.1))
    assert (row["forecast_low"], row["forecast"], row["forecast_high"]) == pytest.approx((3, 3, 3))


def test_what_the_account_spends_beside_the_synced_workspaces_goes_on_too(place: Place) -> None:
    # 30 of 76 were not spent by the synced runs: 2 a day beside their 3
    row = budget(place, [usage(MIDDLE, "76")], daily("2026-10-20", 27, "4", "2"))
    assert (row["burn_per_day"], row["forecast"]) == pytest.approx((5, 76 + 15 * 5))
    assert row["burn_high"] == pytest.approx(5 * (1 + 1.35 * sqrt(14 / 13 / 14) / 3))  # varies as the synced days do
    assert (row["days_until_limit"], row["over_limit"]) == (pytest.approx(24 / 5), True)
    assert row["limit_at"].timestamp() == at("2026-11-20 19:12").timestamp()


def test_runs_that_another_account_pays_are_taken_off_in_proportion(place: Place) -> None:
    row = budget(place, [usage(MIDDLE, "23")], daily("2026-10-20", 27, "4", "2"))  # of 46
    assert row["burn_per_day"] == pytest.approx(1.5)


def test_runs_synced_only_since_the_middle_of_the_period_do_not_make_the_rest_look_like_others_spend(
    place: Place,
) -> None:
    row = budget(place, [usage(MIDDLE, "45")], daily("2026-11-08", 8, "3"))
    assert row["burn_per_day"] == pytest.approx(3)  # 45 in 15 days, as the synced ones


def test_an_account_that_began_in_the_middle_of_the_period_burns_what_it_burns_since(place: Place) -> None:
    row = budget(place, [usage(MIDDLE, "24")], daily("2026-11-08", 8, "3"))
    assert row["burn_per_day"] == pytest.approx(3)


def test_whole_weeks_are_taken_where_there_are_any(place: Place) -> None:
    week = ["5"] * 5 + ["0"] * 2  # from Thursday Nov 5: 10 complete days, of which the last 7 have one weekend
    runs = [row for row in daily("2026-11-02", 14, *week) if row["started_at"] >= at("2026-11-05")]
    row = budget(place, [usage(MIDDLE, "35")], runs)
    assert row["burn_per_day"] == pytest.approx(25 / 7)


def test_the_first_day_and_the_running_one_are_not_complete(place: Place) -> None:
    runs = [run("2026-11-13 23:00", "0.5"), run("2026-11-14", "3"), run("2026-11-15", "5"), run("2026-11-16", "0.5")]
    row = budget(place, [usage("2026-11-16 12:00", "9")], runs)
    assert row["burn_per_day"] == pytest.approx(4)
    assert row["burn_high"] == pytest.approx(4 + 3.078)  # of two days, 1 off each: deviation √2, of their mean 1


def test_runs_after_usage_was_asked_do_not_count(place: Place) -> None:
    runs = [*daily("2026-10-20", 27, "4", "2"), *daily(MIDDLE, 5, "50")]
    assert budget(place, [usage(MIDDLE, "46")], runs)["burn_per_day"] == pytest.approx(3)


def test_without_runs_the_spend_of_the_period_tells_the_burn(place: Place) -> None:
    row = budget(place, [usage(MIDDLE, "30")], [run("2026-11-03", None)])
    assert (row["burn_per_day"], row["forecast"]) == pytest.approx((2, 60))
    none = budget(place, [usage(MIDDLE, "30")])
    assert (none["burn_per_day"], none["forecast"], none["over_limit"]) == (pytest.approx(2), pytest.approx(60), False)
    assert [none[name] for name in ("burn_low", "burn_high", "forecast_low", "forecast_high")] == [None] * 4


def test_six_hours_of_a_period_are_not_taken_for_a_day(place: Place) -> None:
    row = budget(place, [usage("2026-11-01 06:00", "1")])
    assert row["burn_per_day"] == pytest.approx(1)


def test_a_young_period_says_nothing_against_the_runs(place: Place) -> None:
    row = budget(place, [usage("2026-11-01 00:10", "6")], [*daily("2026-10-01", 31, "3"), run("2026-11-01", "0.01")])
    assert row["burn_per_day"] == pytest.approx(3)  # a run that ended after midnight cost 6: not 5.99 in 10 minutes


def test_usage_that_was_seen_for_longer_than_the_period_tells_the_burn(place: Place) -> None:
    seen = [usage("2026-10-22 12:00", "50"), usage("2026-10-31 12:00", "86"), usage("2026-11-01 12:00", "2")]
    row = budget(place, seen)
    assert row["burn_per_day"] == pytest.approx((36 + 2) / 10)  # spend fell: a new period began


def test_usage_of_long_ago_tells_nothing(place: Place) -> None:
    seen = [usage("2026-10-01", "1"), usage("2026-10-22 12:00", "50"), usage("2026-11-01 12:00", "90")]
    assert budget(place, seen)["burn_per_day"] == pytest.approx(4)


def test_spend_that_was_corrected_is_no_new_period(place: Place) -> None:
    seen = [usage("2026-10-22 12:00", "50"), usage("2026-10-31 12:00", "86"), usage("2026-11-01 12:00", "80")]
    assert budget(place, seen)["burn_per_day"] == pytest.approx(3)


def test_spend_that_fell_within_the_assumed_month_counts_from_there(place: Place) -> None:
    row = budget(place, [usage("2026-11-12", "80"), usage("2026-11-13", "3"), usage(MIDDLE, "12")])
    assert (row["period_source"], row["burn_per_day"]) == ("calendar month", pytest.approx(12 / 4))


def test_the_period_is_the_latest_one_told_that_the_moment_lies_in(place: Place) -> None:
    told = [
        telling("2026-11-03", "2026-11-02T00:00:00.000Z", "2026-12-02T00:00:00.000Z"),
        telling("2026-11-10", "2026-11-06T12:00:00.000Z", "2026-12-06T12:00:00.000Z"),
        telling("2026-11-11", "2026-10-06T12:00:00.000Z", "2026-11-06T12:00:00.000Z"),
        telling("2026-11-12", None, None),
        telling("2026-11-13", 1795161637013, "soon"),
    ]
    row = budget(place, [usage(MIDDLE, "19")], told=told)
    ends = (at("2026-11-06 12:00").timestamp(), at("2026-12-06 12:00").timestamp())
    assert period(row) == ("billing", *ends, pytest.approx(9.5), pytest.approx(20.5))
    assert row["forecast"] == pytest.approx(60)  # 19 in 9.5 days: 2 a day


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2026-10-16T00:00:00.000Z", "2026-11-16T00:00:00.000Z"),
        ("2026-11-16T00:00:00.000Z", "2026-11-16T00:00:00.000Z"),
        (None, None),
    ],
    ids=["over", "of no length", "not told"],
)
def test_without_a_period_that_was_told_the_calendar_month_is_assumed(place: Place, start: str, end: str) -> None:
    row = budget(place, [usage(MIDDLE, "30")], told=[telling("2026-11-15", start, end)])
    ends = (at("2026-11-01").timestamp(), at("2026-12-01").timestamp())
    assert period(row) == ("calendar month", *ends, pytest.approx(15), pytest.approx(15))


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("1970-01-01T00:00:00.000Z", "9999-12-31T23:59:59.999Z"),
        ("1970-01-01T00:00:00.000Z", "2026-12-01T00:00:00.000Z"),
        ("2026-11-01T00:00:00.000Z", "9999-12-31T00:00:00.000Z"),
    ],
)
def test_an_account_without_a_period_has_spent_since_ever(place: Place, start: str, end: str) -> None:
    told = [
        telling("2026-11-02", "2026-11-01T00:00:00.000Z", "2026-12-01T00:00:00.000Z"),  # its plan ended since
        telling("2026-11-15 12:00", start, end),
    ]
    row = budget(place, [usage(MIDDLE, "40")], daily("2026-10-20", 27, "4", "2"), told)
    assert period(row) == ("none", None, None, None, None)
    assert (row["burn_per_day"], row["forecast"], row["forecast_high"]) == (pytest.approx(3), None, None)
    assert (row["days_until_limit"], row["over_limit"]) == (pytest.approx(20), False)
    assert row["limit_at"].timestamp() == at("2026-12-06").timestamp()


def test_without_a_period_the_account_burns_what_its_usage_rises_by(place: Place) -> None:
    told = [telling("2026-11-01", "1970-01-01T00:00:00.000Z", "9999-12-31T00:00:00.000Z")]
    once = budget(place, [usage(MIDDLE, "40")], [], [(told[0][0] | {"started_at": at(MIDDLE)}, told[0][1])])
    assert (once["burn_per_day"], once["days_until_limit"], once["limit_at"]) == (None, None, None)
    row = budget(place, [usage("2026-11-06", "20"), usage(MIDDLE, "40")], daily("2026-10-20", 27, "1"), told)
    assert row["burn_per_day"] == pytest.approx(2)  # 20 in 10 days, half of it synced
    assert row["over_limit"] is False
    assert budget(place, [usage(MIDDLE, "101")])["over_limit"] is True  # though nothing is forecast


def test_that_there_is_no_period_is_over_once_a_run_tells_of_one(place: Place) -> None:
    told = [
        telling("2026-09-15", "1970-01-01T00:00:00.000Z", "9999-12-31T00:00:00.000Z"),
        telling("2026-10-20", "2026-10-16T00:00:00.000Z", "2026-11-16T00:00:00.000Z"),
    ]
    assert budget(place, [usage(MIDDLE, "30")], told=told)["period_source"] == "calendar month"


@pytest.mark.parametrize("limit", ["0", None])
def test_a_limit_of_nothing_is_no_limit(place: Place, limit: str | None) -> None:
    row = budget(place, [usage(MIDDLE, "30", limit)])
    assert [row[name] for name in ("usage_limit", "spend_share", "remaining", "days_until_limit", "limit_at")] == (
        [None] * 5
    )
    assert (row["over_limit"], row["forecast"]) == (False, pytest.approx(60))


def test_a_limit_that_is_reached_is_reached_now(place: Place) -> None:
    row = budget(place, [usage(MIDDLE, "120")])
    assert (row["spend_share"], row["remaining"], row["days_until_limit"]) == (pytest.approx(1.2), usd("-20"), 0)
    assert (row["limit_at"].timestamp(), row["over_limit"]) == (at(MIDDLE).timestamp(), True)
    quiet = budget(place, [usage(MIDDLE, "100")])
    assert quiet["days_until_limit"] == 0


def test_an_account_that_spends_nothing_never_reaches_its_limit(place: Place) -> None:
    row = budget(place, [usage(MIDDLE, "0")])
    assert (row["burn_per_day"], row["forecast"], row["days_until_limit"], row["limit_at"]) == (0, 0, None, None)


def test_an_account_whose_spend_is_not_told_still_has_its_row(place: Place) -> None:
    row = budget(place, [usage(MIDDLE, None)], daily("2026-10-20", 27, "4", "2"))
    assert (row["spend"], row["burn_per_day"], row["forecast"], row["over_limit"]) == (None, 3, None, False)


def test_usage_that_was_never_asked_has_no_row(place: Place) -> None:
    place.fill({"logs": daily("2026-10-20", 27, "1")}, ("logs",))
    assert place.ask("SELECT * FROM sim.budget") == []


def test_where_billing_is_off_there_is_no_budget(place: Place) -> None:
    """Self-hosted (``sim-v0.8.9/usage_limits_no_billing``): cost 0 and limit 99999 say that nothing is counted."""
    account = {"plan": "free", "current_period_cost": usd("0"), "usage_limit": usd("99999")}
    place.fill({"usage": [{"observed_at": at("2026-11-20 12:00"), **account}]})
    assert place.ask("SELECT * FROM sim.budget") == []


def payer(workspace: str, used: int | None, limit: int | None, *period: str, observed: str = MIDDLE) -> Row:
    """A row of ``billing_status``."""
    start, end = (at(moment) for moment in period) if period else (None, None)
    told = {"plan": "team", "status": "active", "period_start": start, "period_end": end}
    credits_ = {"credits_used": used, "credits_limit": limit}
    return {"observed_at": at(observed), "workspace_id": workspace, **told, **credits_}


OWN_PERIOD = ("2026-11-10", "2026-12-10")


def with_payers(place: Place, *payers: Row) -> Row:
    """The one row of the view, for an account that spent 30 of 100 USD by its usage."""
    place.fill({"billing_status": list(payers)}, ("billing_status",))
    row = budget(place, [usage(MIDDLE, "30")], daily("2026-11-01", 15, "2"))
    place.fill({"billing_status": []}, ("billing_status",))
    return row


def test_the_payer_tells_period_limit_and_spend(place: Place) -> None:
    both = [payer(workspace, 8_000, 40_000, *OWN_PERIOD) for workspace in ("ws-1", "ws-2")]
    row = with_payers(place, payer("ws-1", 1, 2, "2026-10-10", "2026-11-10", observed="2026-11-01"), *both)
    assert (row["plan"], row["spend_source"], row["spend"], row["usage_limit"]) == (
        "team", "billing_status", usd("40"), usd("200"),
    )  # fmt: skip
    assert period(row) == ("billing", *(at(day).timestamp() for day in OWN_PERIOD), 6, 24)
    assert row["forecast"] == pytest.approx(40 + 24 * row["burn_per_day"])


@pytest.mark.parametrize(
    "payers",
    [
        [payer("ws-1", 8_000, 40_000, *OWN_PERIOD), payer("ws-2", 8_000, 50_000, *OWN_PERIOD)],
        [payer("ws-1", 8_000, 40_000, *OWN_PERIOD), payer("ws-2", 8_000, 40_000)],
        [payer("ws-1", 8_000, 40_000, *OWN_PERIOD, observed="2026-11-01")],
        [],
    ],
    ids=["other limits", "other periods", "of two weeks ago", "none"],
)
def test_several_payers_or_old_words_say_nothing(place: Place, payers: list[Row]) -> None:
    row = with_payers(place, *payers)
    assert (row["spend_source"], row["spend"], row["usage_limit"]) == ("usage", usd("30"), usd("100"))
    assert row["period_source"] == "calendar month"


def test_a_workspace_key_learns_the_period_alone(place: Place) -> None:
    row = with_payers(place, payer("ws-1", None, None, *OWN_PERIOD))
    assert (row["spend_source"], row["spend"], row["usage_limit"]) == ("usage", usd("30"), usd("100"))
    assert period(row)[:2] == ("billing", at(OWN_PERIOD[0]).timestamp())


def test_a_payer_without_a_subscription_has_spent_since_ever(place: Place) -> None:
    row = with_payers(place, payer("ws-1", 8_000, None))
    assert (row["spend"], row["usage_limit"], row["period_source"], row["period_start"]) == (
        usd("40"), None, "none", None,
    )  # fmt: skip
