"""The end of ``run`` and ``resync``: warnings, errors, summary and exit code."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from sim_source.errors import SimError

from ..screen import console
from .outcome import Outcome, failed


@contextmanager
def faults_told(as_json: bool) -> Iterator[None]:
    """Prints an error that ends the command early as JSON, too, if ``--json`` is given."""
    try:
        yield
    except SimError as error:
        if as_json:
            print(json.dumps(failed(error)))
        raise


def finish(outcome: Outcome, as_json: bool) -> NoReturn:
    """Prints the result of a sync and exits with its code."""
    for text in outcome.log.warnings:
        console.warning(text)
    for failure in outcome.log.failures:
        where = f" of workspace {failure.workspace_id}" if failure.workspace_id else ""
        console.fault(f"{failure.resource}{where}: {failure.message}; rows read so far are kept, the next sync retries")
    if outcome.fault is not None:
        console.fault(str(outcome.fault))
    console.line(outcome.summary)
    if as_json:
        print(json.dumps(outcome.as_json()))
    sys.exit(outcome.exit_code)
