"""``sim-sync check``: prints the findings and exits with their code."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import NoReturn

from ..check import access as access_check
from ..check import data as data_check
from ..check import findings
from ..destination import questions
from ..destination.target import Target
from ..screen import terminal
from ..settings import RunSettings
from . import answering


def check_access(accounts: Sequence[RunSettings], as_json: bool) -> NoReturn:
    """Prints whether a sync can start, and the estimate of a first sync. Exits with 0, or 2 if it cannot start."""
    told, ok = {}, True
    for settings in accounts:
        if len(accounts) > 1:
            terminal.out.print(f"account {settings.source.account}", markup=False)
        checked = access_check.try_access(settings)
        for finding in checked.findings:
            terminal.finding(finding.ok, f"{finding.what}: {finding.told}")
        if checked.first_sync is not None:
            terminal.out.print(str(checked.first_sync), markup=False)
        told[settings.source.account] = checked.as_json()
        ok = ok and checked.ok
    if as_json:
        print(json.dumps(findings.as_json_of_accounts(told)))
    sys.exit(0 if ok else 2)


def check_data(target: Target, as_json: bool) -> NoReturn:
    """Prints which consistency rules the stored rows break. Exits with 0, or 1 if they break any."""
    with answering.one_state(target) as as_of:
        verdicts = data_check.try_rules(target)
    for verdict in verdicts:
        terminal.finding(verdict.ok, f"{verdict.what}: {verdict.told}")
        for example in verdict.examples:
            shown = ", ".join(f"{name}={questions.as_json_value(value)}" for name, value in example.items())
            terminal.out.print(f"      {shown}", markup=False)
    ok = all(verdict.ok is not False for verdict in verdicts)
    if as_json:
        told = {"ok": ok, "findings": [verdict.as_json() for verdict in verdicts]}
        print(json.dumps(told | answering.as_of_json(as_of)))
    sys.exit(0 if ok else 1)
