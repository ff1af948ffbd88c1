"""How long a new point of a living run takes from the record to the screen, in a real terminal (120x40).

    python benchmarks/live.py [--points 40] [--lite]

A run reports a point of its objective every 1.3 s, as its worker's spool is read ten times a second: on average another
0.05 s, at most 0.1, lie before what is measured here. Prints one JSON object, milliseconds from the commit: until the
head of the screen has the step (pushed with the changes) and until the curve has grown, median and 95th percentile.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.made.living import living
from benchmarks.terminal import Terminal
from benchmarks.tui import SETTLE_S, ui

BRAILLE = re.compile(b"\xe2[\xa0-\xa3][\x80-\xbf]")
PATIENCE_S = 1.2


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--points", type=int, default=40)
    parser.add_argument("--lite", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        found = measured(Path(scratch) / "one", asked.points, ["--lite"] if asked.lite else [])
    print(json.dumps({"load": os.getloadavg(), **found}, indent=1))


def measured(folder: Path, points: int, options: list[str]) -> dict[str, object]:
    given = ("--runs", "1", "--seconds", str(points), "--every", "1.3", "--tell")
    with living(folder, *given) as (go, told), ui(folder, *options) as screen:
        screen.until("actions")
        screen.key(":", SETTLE_S)
        screen.key("run 1\r", SETTLE_S)
        go()
        found = [seen(screen, float(told.readline())) for _ in range(points)]
    return {"head_ms": _spread([head for head, _ in found]), "curve_ms": _spread([curve for _, curve in found])}


def seen(screen: Terminal, committed: float) -> tuple[float | None, float | None]:
    """Seconds from the commit until the first byte came, and until braille did."""
    first = None
    while time.perf_counter() - committed < PATIENCE_S:
        piece = screen.pump(0.05)
        if piece:
            first = first or time.perf_counter() - committed
            if BRAILLE.search(piece):
                return first, time.perf_counter() - committed
    return first, None


def _spread(found: list[float | None]) -> dict[str, object]:
    known = sorted(1000 * one for one in found[2:] if one is not None)
    if not known:
        return {"seen": 0}
    return {
        "seen": f"{len(known)} of {len(found) - 2}",
        "p50": round(statistics.median(known), 1),
        "p95": round(known[int(0.95 * (len(known) - 1))], 1),
    }


if __name__ == "__main__":
    main()
