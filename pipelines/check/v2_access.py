"""Checks what the v2 API gives an API key, and counts the requests for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sim_source import errors
from sim_source.api import wire
from sim_source.api.decode import Page, Rejected
from sim_source.api.query import Query
from sim_source.api.v2_endpoints import SimV2Api
from sim_source.paging import walk_list, windows
from sim_source.paging.chunks import R
from sim_source.paging.walk_ledger import LEDGER_PAGE
from sim_source.paging.walk_states import ATTEMPTS, STATES_PAGE

from .estimate import Estimate
from .findings import Finding
from .forecast import Work, pages_by_cursor

ABSENT = (
    "not offered to this API key: the server is older than v0.8.0, or its V2_API is off. Runs, costs and tokens are "
    "complete without it; billing_logs, billing_status, workspaces and workflow_versions stay empty"
)


@dataclass(slots=True)
class V2Trial:
    """Tries each resource of v2 once.

    Attributes:
        api: The endpoints.
        workspace_ids: The configured workspaces.
        now: The server's clock.
        selected: Tables that a sync loads.
        found: The estimates of the workspaces.
        findings: Receives a line for each resource.
        requests: Requests of a first sync. Of a ledger with more than one page only the first page is counted.
    """

    api: SimV2Api
    workspace_ids: Sequence[str]
    now: datetime
    selected: Sequence[str]
    found: Sequence[Estimate]
    findings: list[Finding]
    requests: int = 0
    _by_name: dict[str, Callable[[], str]] = field(init=False)

    def __post_init__(self) -> None:
        self._by_name = {
            "logs": self._states,
            "workflow_versions": self._workflows,
            "billing_status": self._status,
            "workspaces": self._workspaces,
            "billing_logs": self._ledger,
        }

    def run(self) -> None:
        """Tries all resources; one request is enough to find out that there is no v2."""
        for name, attempt in self._by_name.items():
            if name not in self.selected and not (name == "workflow_versions" and "workflows" in self.selected):
                continue
            before = self.requests
            try:
                told, ok = attempt(), True
            except errors.SimError as error:
                if isinstance(error, errors.NotOffered) and error.everything:
                    self.findings.append(Finding("v2 API", None, ABSENT))
                    self.requests = 1
                    return
                self.requests, told, ok = before + 1, _why_not(error), None
            self.findings.append(Finding(f"v2 {name}", ok, told))

    @property
    def work(self) -> Work:
        """Requests of a first sync beside those of v1; snapshots are read from v2 if it is there."""
        snapshots = sum(each.work.snapshots for each in self.found) if self.api.offered else 0
        return Work(v2=self.requests, v2_snapshots=snapshots, snapshots=-snapshots)

    def _states(self) -> str:
        for id_ in self.workspace_ids:
            self.api.run_states(id_, Query(self.now, self.now, 1), ATTEMPTS)
        self.requests += sum(pages_by_cursor(each.runs, STATES_PAGE) for each in self.found if each.runs)
        return "the status of runs"

    def _workspaces(self) -> str:
        found = [row for page in self._pages(self.api.workspaces) for row in page.rows]
        return f"{len(found):,} readable"

    def _workflows(self) -> str:
        deployed = 0
        for id_ in self.workspace_ids:
            for page in self._pages(lambda cursor, id_=id_: self.api.workflow_places(id_, cursor)):  # type: ignore[misc]
                deployed += sum(place.deployed_at is not None for place in page.rows)
        self.requests += deployed if "workflow_versions" in self.selected else 0
        return f"folders and versions of {deployed:,} deployed workflows"

    def _pages(self, ask: Callable[[str | None], Page[R]]) -> list[Page[R]]:
        pages = list(walk_list.walk_by_cursor(ask))
        self.requests += len(pages)
        return pages

    def _status(self) -> str:
        told: list[str] = []
        for id_ in self.workspace_ids:
            self.requests += 1
            told.append(_credits(self.api.billing_status(id_)))
        return "; ".join(dict.fromkeys(told))

    def _ledger(self) -> str:
        page = self.api.ledger(Query(windows.BEGINNING, self.now, LEDGER_PAGE, order="desc"))
        self.requests += 1
        whose = "its workspace" if self.api.is_workspace_key() else "the person whose key it is, in any workspace"
        more = "" if page.next_cursor is None else "; more than 100, whose pages are not in the estimate"
        return f"events of {whose}{more}"


def _why_not(error: errors.SimError) -> str:
    """Why a resource cannot be read."""
    if isinstance(error, errors.NotOffered):
        return "the server has no such endpoint"
    if isinstance(error, errors.AccessDenied):
        return f"not for this API key: {error.reason}"
    return f"{'not for this API key' if isinstance(error, errors.NotFound) else 'not known now'}: {error}"


def _credits(status: wire.BillingStatus | Rejected) -> str:
    if isinstance(status, Rejected):
        return f"the answer does not fit ({status.reason})"
    if status.credits is None:
        return f"plan {status.plan}; credits are shown only to the payer and to organization admins"
    return f"plan {status.plan}, with credits"
