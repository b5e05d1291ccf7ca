"""``python -m bench [CASE ...] [--quick]``: measures, prints tables, and judges.

Without names, every case is run, and ``docs/bench.md`` and its chart are written. ``ROUNDS=9`` sets the rounds.
Exit code 1: something that must be reached was missed, or a program loaded the wrong rows.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from bench import measure, report, run
from bench.cases import CASES
from bench.cases_answers import ANSWERS
from bench.cases_rate import BUCKET

ALL = [*CASES, BUCKET, ANSWERS]
QUICK_SCALE = 0.02
TITLE = "How many times as fast as dlt’s rest_api_source, per run"
DOCS = measure.ROOT / "docs"


def main() -> int:
    """Runs the chosen cases."""
    args = _arguments()
    chosen = [case for case in ALL if case.name in args.cases] or ALL
    results: report.Results = []
    failed = False
    with measure.api() as api, tempfile.TemporaryDirectory() as folder:
        for case in chosen:
            try:
                rounds = run.case(case, api, args.rounds, args.scale, Path(folder), report.show)
            except measure.Wrong as wrong:
                report.show(f"FAILED {case.name}: {wrong}")
                failed = True
            else:
                results.append((case, rounds))
    # what was measured is told; the document is written of a whole run only
    return _tell(results, args.rounds, whole=not (failed or args.cases), judged=args.scale == 1.0) or int(failed)


def _tell(results: report.Results, rounds: int, *, whole: bool, judged: bool) -> int:
    for case, measured in results:
        report.show("\n".join(["", f"{case.name}: {case.about}", *report.table(case, measured)]))
    if not judged:
        report.show("\nNothing is judged at another size than the usual one.")
        return 0
    lines = report.targets(results)
    report.show("\n".join(["", *report.TARGETS_HEAD, *(line for line, _ in lines)]))
    missed = not all(good for _, good in lines)
    if whole:
        from bench import chart  # heavy: only now that nothing is measured any more

        (DOCS / "bench.md").write_text(report.document(results, rounds, missed), encoding="utf-8")
        (DOCS / "bench.svg").write_text(chart.svg(report.bars(results), TITLE), encoding="utf-8")
        report.show("\nWritten: docs/bench.md, docs/bench.svg")
    return int(missed)


def _arguments() -> argparse.Namespace:
    def name(value: str) -> str:
        if value not in (known := [case.name for case in ALL]):
            raise argparse.ArgumentTypeError(f"no such case; there are {', '.join(known)}")
        return value

    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("cases", nargs="*", type=name, metavar="CASE", help=", ".join(case.name for case in ALL))
    parser.add_argument("--quick", action="store_true", help="one round of small sizes: proves that it works")
    parser.add_argument("--scale", type=float, default=1.0, help="runs, as a share of the usual number")
    parser.add_argument("--rounds", type=int, default=int(os.environ.get("ROUNDS", "5")))
    args = parser.parse_args()
    if args.quick:
        args.rounds, args.scale = 1, QUICK_SCALE
    return args


if __name__ == "__main__":
    sys.exit(main())
