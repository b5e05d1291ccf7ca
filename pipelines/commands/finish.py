"""The end of ``run`` and ``resync``: warnings, errors, summary and exit code."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from sim_source.errors import SimError

from ..screen import console
from .outcome import failed
from .results import Results


@contextmanager
def faults_told(as_json: bool) -> Iterator[None]:
    """Prints an error that ends the command early as JSON, too, if ``--json`` is given."""
    try:
        yield
    except SimError as error:
        if as_json:
            print(json.dumps(failed(error)))
        raise


def finish(results: Results, as_json: bool) -> NoReturn:
    """Prints the results of a command and exits with its code."""
    for text in results.all_warnings:
        console.warning(text)
    for label, account, failure in results.failures():
        where = f" of workspace {failure.workspace_id}" if failure.workspace_id else ""
        whose = f"account {account}: " if label else ""
        console.fault(
            f"{whose}{failure.resource}{where}: {failure.message}; rows read so far are kept, the next sync retries"
        )
    for label, _, outcome in results.outcomes:
        if outcome.fault is not None:
            console.fault(f"{label}: {outcome.fault}" if label else str(outcome.fault))
    console.line(results.summary)
    if as_json:
        print(json.dumps(results.as_json()))
    sys.exit(results.exit_code)
