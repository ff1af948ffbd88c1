"""How often drift is found where there is none, and where there is some: simulated windows through the real verdict.

Columns as they come: bell-shaped, long-tailed, half zeros, five values, constant, a third missing, and words: four,
300, and names without end. `false`: windows of the reference's own distribution, from 500 rows on, against references
of 500 to 20,000 rows; alarms for 1,000 window-columns, of a single window (the strictest way to count), and by the
default rule, two of the last three windows. `power`: the share of windows of 2,000 rows, and of verdicts of three of
them, that are found when every value is 0.3 standard deviations more.

    python benchmarks/alarms.py [--windows 300]

One JSON object. Each share comes with its 95 % interval (Wilson). About four minutes of CPU.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import pyarrow as pa

from pipeline.stats.shares import wilson
from pipeline.watching.measures import Measures, measures
from pipeline.watching.profile import Profile, fit, profile
from pipeline.watching.verdict import Rules, decided

ONCE, LASTING = Rules(windows=1, needed=1), Rules()
SIZES = ((500, 500), (20_000, 500), (2000, 1000), (20_000, 2000))
"""(rows of the reference, rows of a window)."""
SHIFT, REFERENCE, ROWS = 0.3, 20_000, 2000
Draw = Callable[[np.random.Generator, int], Any]


def some_missing(rng: np.random.Generator, rows: int) -> Any:
    values = rng.normal(size=rows)
    values[rng.random(rows) < 0.33] = np.nan
    return values


NUMBERS: dict[str, Draw] = {
    "bell": lambda rng, rows: rng.normal(size=rows),
    "long tail": lambda rng, rows: rng.lognormal(0, 1, rows),
    "half zeros": lambda rng, rows: np.maximum(0.0, rng.normal(size=rows)),
    "five values": lambda rng, rows: rng.choice(5, rows, p=[0.5, 0.3, 0.1, 0.09, 0.01]).astype(np.float64),
    "constant": lambda rng, rows: np.ones(rows),
    "a third missing": some_missing,
}
WORDS: dict[str, Draw] = {
    "four words": lambda rng, rows: rng.choice(list("abcd"), rows, p=[0.7, 0.2, 0.09, 0.01]),
    "300 words": lambda rng, rows: np.char.add("w", rng.integers(0, 300, rows).astype(str)),
    "names": lambda rng, rows: np.char.add("w", rng.zipf(1.4, rows).astype(str)),
}
SHIFTED = ("bell", "long tail", "a third missing")
"""Columns whose values a shift moves past their neighbours."""


@dataclass
class Tally:
    """Alarms, and looks that could have been one."""

    once: list[bool] = field(default_factory=list)
    lasting: list[bool] = field(default_factory=list)

    def take(self, windows: list[Measures]) -> None:
        """Of one column: each window alone, and each three in a row."""
        self.once += [decided([one], ONCE).answer == "drifted" for one in windows]
        steps = range(LASTING.windows, len(windows) + 1)
        self.lasting += [decided(windows[at - LASTING.windows : at], LASTING).answer == "drifted" for at in steps]

    def told(self, scale: float) -> dict[str, Any]:
        return {"single window": share(self.once, scale), "2 of 3 windows": share(self.lasting, scale)}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--windows", type=int, default=300, help="of each column and size")
    asked = parser.parse_args()
    rng = np.random.default_rng(11)
    whole, by_size, by_column = Tally(), {}, {name: Tally() for name in NUMBERS | WORDS}
    for reference, rows in SIZES:
        size = by_size[f"{reference} against {rows}"] = Tally()
        for name, draw in (NUMBERS | WORDS).items():
            found = looked(draw, draw, rng, reference, rows, asked.windows, words=name in WORDS)
            for tally in (whole, size, by_column[name]):
                tally.take(found)
    power = {}
    for name in SHIFTED:
        draw, tally = NUMBERS[name], Tally()
        moved = shifted(draw, SHIFT * float(np.nanstd(draw(rng, 200_000))))
        tally.take(looked(draw, moved, rng, REFERENCE, ROWS, asked.windows, words=False))
        power[name] = tally.told(1.0)
    false = {"all": whole.told(1000.0)} | {name: one.told(1000.0) for name, one in by_size.items()}
    columns = {name: one.told(1000.0) for name, one in by_column.items()}
    print(json.dumps({"false_per_1000": false, "by_column": columns, "power": power}, indent=2))


def shifted(draw: Draw, by: float) -> Draw:
    return lambda rng, rows: draw(rng, rows) + by


def looked(
    before: Draw, now: Draw, rng: np.random.Generator, reference: int, rows: int, windows: int, *, words: bool
) -> list[Measures]:
    """So many windows; a new reference for each sixty of them."""
    found = []
    for start in range(0, windows, 60):
        known = profiled(before(rng, reference), words=words)
        found += [
            measures(known, profiled(now(rng, rows), known, words=words))
            for _ in range(start, min(start + 60, windows))
        ]
    return found


def profiled(values: Any, reference: Profile | None = None, *, words: bool) -> Profile:
    rows = pa.table({"c": pa.array(values, pa.string() if words else pa.float64(), from_pandas=False)})
    cells = fit(rows, {"c": "categorical" if words else "numeric"}) if reference is None else {"c": reference.cells}
    return profile(cells, rows.to_batches())["c"]


def share(told: list[bool], scale: float) -> dict[str, Any]:
    hits, low, high = sum(told), *wilson(sum(told), len(told))
    return {"looks": len(told), "found": hits, "rate": round(hits / len(told) * scale, 3)} | {
        "low": round(low * scale, 3),
        "high": round(high * scale, 3),
    }


if __name__ == "__main__":
    main()
