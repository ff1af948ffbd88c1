"""CPU of one redraw of curves, in milliseconds: one of 10,000 points, and eight of them laid over each other.

    python benchmarks/charts.py

A redraw is what a new point costs: the series is prepared again and the whole picture made, at 110x34 cells.
"""

from __future__ import annotations

import json
import math
import random
import statistics
import sys
import time
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tui.charts.plot import Look, plot, prepared
from tui.charts.series import Curve

POINTS: Final = 10_000
TIMES: Final = 15


def curve(number: int) -> Curve:
    noise = random.Random(number)
    made = Curve(f"run {number}")
    for step in range(POINTS):
        value = 0.45 + 0.3 * math.exp(-4 * step / POINTS) + 0.05 * noise.random() + 0.02 * number
        made.add(step, step * 0.5, value)
    return made


def measured(curves: list[Curve], look: Look) -> float:
    """Milliseconds of this thread's CPU, the median of several; points in the order in which they came."""
    kept = [prepared(one.series(by_time=False), look) for one in curves[1:]]
    took = []
    for _ in range(TIMES):
        began = time.thread_time()
        plot([prepared(curves[0].series(by_time=False), look), *kept], 110, 34, look)
        took.append(time.thread_time() - began)
    return round(statistics.median(took) * 1_000, 2)


def main() -> None:
    one, eight = [curve(0)], [curve(number) for number in range(8)]
    looks = {"linear": Look(), "log": Look(log=True), "smoothed": Look(smooth=2), "blocks": Look(style="blocks")}
    found = {name: {"one": measured(one, look), "eight": measured(eight, look)} for name, look in looks.items()}
    print(json.dumps({"points": POINTS, "cells": "110x34", "cpu_ms": found, "goal_ms": {"one": 8, "eight": 25}}))


if __name__ == "__main__":
    main()
