"""How often drift is found where there is none, and where there is some: simulated windows through the real verdict.

Columns as they come: bell-shaped, long-tailed, half zeros, five values, constant, a third missing, and words: four,
300, and names without end. `false`: windows of the reference's own distribution, from 500 rows on, against references
of 500 to 20,000 rows; alarms for 1,000 window-columns, of a single window (the strictest way to count), and by the
default rule, two of the last three windows. `power`: the share of windows of 2,000 rows, and of verdicts of three of
them, that are found when every value is 0.3 standard deviations more.

`errors`: streams of errors whose mean does not change, of classes and of numbers, looked at after each 1,000 rows; and
after how many rows a rise is found. `vectors`: clouds of 1 to 128 numbers against others of the same kind, 500 and
1,000 of each side, and when every number is 0.3 standard deviations more. `rows`: four columns, two of which go
together, told apart by a classifier, 500 of each side (`--apart` windows); and when they no longer do. With the CPU
seconds of a window.

    python benchmarks/alarms.py [--windows 300] [--apart 1000] [--only errors] [--seed 11]

One JSON object. Each share comes with its 95 % interval (Wilson). About twenty minutes of CPU.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import pyarrow as pa

from pipeline.stats.metrics import Task
from pipeline.stats.shares import wilson
from pipeline.versions.signature import FeatureKind
from pipeline.watching.classifier import LIMIT, apart_assessed, told_apart
from pipeline.watching.errorstream import begun, fed, stream_assessed
from pipeline.watching.labelled import Labelled
from pipeline.watching.measures import Measures, measures
from pipeline.watching.profile import Profile, fit, profile
from pipeline.watching.vectors import Vectors, vectors_assessed
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

PARTS = ("columns", "errors", "vectors", "rows")
DROP = 0.02
"""As `performance.drop` has it."""
ERRORS: dict[str, tuple[Task, Draw]] = {
    "2% wrong": ("binary", lambda rng, rows: rng.random(rows) < 0.02),
    "10% wrong": ("binary", lambda rng, rows: rng.random(rows) < 0.1),
    "30% wrong": ("binary", lambda rng, rows: rng.random(rows) < 0.3),
    "bell-shaped": ("regression", lambda rng, rows: rng.normal(size=rows)),
    "long tail": ("regression", lambda rng, rows: rng.normal(size=rows) * rng.lognormal(0, 1, rows)),
}
"""What a version errs by."""
KINDS: dict[str, FeatureKind] = {"a": "numeric", "b": "numeric", "noise": "numeric", "word": "categorical"}


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
    parser.add_argument("--apart", type=int, default=1000, help="windows that a classifier is asked about")
    parser.add_argument("--only", choices=PARTS, help="this part")
    parser.add_argument("--seed", type=int, default=11, help="of two runs with two seeds, windows add up")
    asked = parser.parse_args()
    rng = np.random.default_rng(asked.seed)
    parts: dict[str, Callable[[], dict[str, Any]]] = {
        "columns": lambda: of_columns(rng, asked.windows),
        "errors": lambda: of_errors(rng, asked.windows),
        "vectors": lambda: of_vectors(rng, asked.windows),
        "rows": lambda: of_rows(rng, asked.apart),
    }
    print(json.dumps({name: parts[name]() for name in PARTS if asked.only in (None, name)}, indent=2))


def of_columns(rng: np.random.Generator, windows: int) -> dict[str, Any]:
    whole, by_size, by_column = Tally(), {}, {name: Tally() for name in NUMBERS | WORDS}
    for reference, rows in SIZES:
        size = by_size[f"{reference} against {rows}"] = Tally()
        for name, draw in (NUMBERS | WORDS).items():
            found = looked(draw, draw, rng, reference, rows, windows, words=name in WORDS)
            for tally in (whole, size, by_column[name]):
                tally.take(found)
    power = {}
    for name in SHIFTED:
        draw, tally = NUMBERS[name], Tally()
        moved = shifted(draw, SHIFT * float(np.nanstd(draw(rng, 200_000))))
        tally.take(looked(draw, moved, rng, REFERENCE, ROWS, windows, words=False))
        power[name] = tally.told(1.0)
    false = {"all": whole.told(1000.0)} | {name: one.told(1000.0) for name, one in by_size.items()}
    columns = {name: one.told(1000.0) for name, one in by_column.items()}
    return {"false_per_1000": false, "by_column": columns, "power": power}


def of_errors(rng: np.random.Generator, windows: int) -> dict[str, Any]:
    """Looks, one after each window, of streams of sixty windows."""
    false: dict[str, Any] = {}
    whole: list[bool] = []
    for name, (task, draw) in ERRORS.items():
        looks = [look for _ in range(-(-windows // 60)) for look in stream_looks(task, draw, draw, rng)]
        false[name] = share(looks, 1000.0)
        whole += looks
    power = {}
    for name, before, now in (("0.10 to 0.15", 0.10, 0.15), ("0.10 to 0.20", 0.10, 0.20), ("0.30 to 0.35", 0.30, 0.35)):
        rows = [rows_until_found(rng, before, now) for _ in range(50)]
        power[name] = {"rows until found, median": statistics.median(rows), "of 50 the slowest": max(rows)}
    return {"false_per_1000": {"all": share(whole, 1000.0), **false}, "power": power}


def stream_looks(task: Task, before: Draw, now: Draw, rng: np.random.Generator) -> list[bool]:
    state, found = begun(task, before(rng, 5000)), []
    for window in range(60):
        state = fed(state, errors(task, now(rng, 1000)), window + 1, DROP)
        found.append(stream_assessed(state, DROP).answer == "found")
    return found


def rows_until_found(rng: np.random.Generator, before: float, now: float) -> int:
    """After 10,000 rows before the rise; looked at after each 100."""
    state = fed(begun("binary"), errors("binary", rng.random(10_000) < before), 1, DROP)
    for look in range(1, 300):
        state = fed(state, errors("binary", rng.random(100) < now), look + 1, DROP)
        if stream_assessed(state, DROP).answer == "found":
            return look * 100
    return 30_000


def errors(task: Task, wrong: Any) -> Labelled:
    """`wrong` [n]: whether the wrong class was named, or label - answer."""
    rows = len(wrong)
    if task == "regression":
        return Labelled(scores=np.zeros(rows), labels=np.asarray(wrong), at=np.arange(rows))
    return Labelled(scores=np.where(wrong, 0.1, 0.9), labels=np.ones(rows, np.int32), at=np.arange(rows))


def of_vectors(rng: np.random.Generator, windows: int) -> dict[str, Any]:
    """Single windows: of two of three there are fewer."""
    found: dict[str, Any] = {}
    power: dict[str, Any] = {}
    whole: list[float] = []
    for rows in (500, 1000):
        for numbers in (1, 8, 128):
            name = f"{numbers} numbers, {rows} against {rows}"
            began = time.process_time()
            parts = [moved(rng, rows, numbers, 0.0) for _ in range(windows)]
            seconds = (time.process_time() - began) / windows
            found[name] = {**reached(parts, 1000.0), "cpu_s_a_window": round(seconds, 3)}
            whole += parts
            power[name] = reached([moved(rng, rows, numbers, SHIFT) for _ in range(max(10, windows // 6))], 1.0)
    return {"false_per_1000": {"all": reached(whole, 1000.0), **found}, "power": power}


def reached(parts: list[float], scale: float) -> dict[str, Any]:
    """`parts`: of the limit."""
    extremes = {"smallest part of its limit": round(min(parts), 3), "largest": round(max(parts), 3)}
    return {**share([one >= 1.0 for one in parts], scale), **extremes}


def moved(rng: np.random.Generator, rows: int, numbers: int, by: float) -> float:
    """The MMD as a part of its limit."""
    before, now = (Vectors(rng.normal(shift, 1, (rows, numbers)), 0) for shift in (0.0, by))
    told = vectors_assessed("v", before, now, rng, limit=0.1)
    return float(told.evidence["mmd"] / told.evidence["limit"])


def of_rows(rng: np.random.Generator, windows: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for rows, looks in ((500, windows), (5000, windows // 10)):
        began = time.process_time()
        areas = [apart(rng, rows, 0.9)[1] for _ in range(looks)]
        found[f"{rows} against {rows}"] = {
            **share([one >= LIMIT for one in areas], 1000.0),
            "auc": {"mean": statistics.mean(areas), "deviation": statistics.stdev(areas), "largest": max(areas)},
            "cpu_s_a_window": round((time.process_time() - began) / looks, 2),
        }
    power = {f"0.9 to {now}": share([apart(rng, 500, now)[0] for _ in range(windows // 10)], 1.0) for now in (0.7, 0.5)}
    return {"false_per_1000": found, "power": power}


def apart(rng: np.random.Generator, rows: int, together: float) -> tuple[bool, float]:
    """`a` and `b` go together by 0.9 before, and by so much now: whether that is found, and the AUC."""
    before, now = four_columns(rng, rows, 0.9), four_columns(rng, rows, together)
    found = told_apart(before, now, KINDS, rng)
    assert found is not None
    return apart_assessed(found).answer == "found", found.auc


def four_columns(rng: np.random.Generator, rows: int, together: float) -> pa.Table:
    a = rng.normal(size=rows)
    b = together * a + np.sqrt(1 - together**2) * rng.normal(size=rows)
    return pa.table({"a": a, "b": b, "noise": rng.normal(size=rows), "word": rng.choice(list("xyz"), rows)})


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
