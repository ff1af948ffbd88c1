"""How often comparisons and canaries are wrong, and how soon they are right: simulations with a look after each unit.

    python benchmarks/experiments.py [--simulations 500] [--seed 1]

`a_a`: two equal arms, 10,000 units; the share of simulations in which a test ever said that they differ, which has to
stay at or below alpha. `fixed` is the usual z-test at each look, to show what looking does to it. `canary`: errors go
from 1 % to 5 % at 10 % of the traffic; the share taken back within 600 of the canary's requests, by the test alone and
by a plan as it comes, whose three stages and two kinds of events share its alpha. `calm`: the same with equal rates
over 100,000 requests; the share taken back wrongly. `sizes`: 52/48 where 50/50 was planned, found by 20,000 units; and
what is found falsely with 50/50.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import numpy.typing as npt
from scipy.stats import norm

from pipeline.experiments import excess, mismatch, msprt
from pipeline.experiments.canary import Plan
from pipeline.experiments.decide import Rules
from pipeline.experiments.sequence import radius
from pipeline.stats.measured import Floats

ALPHA: Final = 0.05
Bools = npt.NDArray[np.bool_]
CHUNK: Final = 10_000_000
"""Numbers simulated at once, at most."""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--simulations", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    rng, began = np.random.default_rng(given.seed), time.process_time()
    many = given.simulations
    report = {
        "simulations": many,
        "a_a": {"binary 5 %": a_a(rng, many, binary=True), "normal": a_a(rng, many, binary=False)},
        "canary": canary(rng, many, control=0.01, treated=0.05, share=0.1, requests=6000, within=600),
        "calm": {
            f"at {share:.0%}": canary(rng, many, control=0.01, treated=0.01, share=share, requests=100_000, within=None)
            for share in (0.01, 0.1, 0.5)
        },
        "sizes": sizes(rng, many),
        "cpu_s": round(time.process_time() - began, 1),
    }
    print(json.dumps(report, indent=2))


def a_a(rng: np.random.Generator, simulations: int, *, binary: bool, units: int = 10_000) -> dict[str, float]:
    """Share of simulations in which each test ever said "different", looking after each unit."""
    alarms: dict[str, list[Bools]] = {"sequence": [], "msprt": [], "fixed": []}
    for size in _chunks(simulations, units):
        treated = rng.random((size, units)) < 0.5
        values = (rng.random((size, units)) < 0.05).astype(np.float64) if binary else rng.normal(size=(size, units))
        difference, variance = _running(values, treated)
        looks = np.arange(1, units + 1)
        with np.errstate(invalid="ignore", divide="ignore"):
            alarms["sequence"].append(_ever(np.abs(difference) > radius(variance, looks, ALPHA)))
            z = np.abs(difference) / np.sqrt(variance)
        alarms["fixed"].append(_ever(z[:, 100:] > norm.isf(ALPHA / 2)))
        alarms["msprt"].append(_pairs(values, binary))
    return {name: float(np.concatenate(found).mean()) for name, found in alarms.items()}


def canary(
    rng: np.random.Generator,
    simulations: int,
    *,
    control: float,
    treated: float,
    share: float,
    requests: int,
    within: int | None,
) -> dict[str, float]:
    """Share taken back (within so many of the canary's requests), and after how many of them."""
    plan = Plan()
    # One kind of two, one stage of three of which nothing is known but that the others' evidence is at least 0.
    planned = math.log(len(plan.stages) * len(plan.tolerated) / plan.alpha)
    limits = {"test": -math.log(ALPHA), "plan": planned}
    taken: dict[str, list[float]] = {name: [] for name in limits}
    for _ in range(simulations):
        theirs = rng.random(requests) < share
        happened = np.flatnonzero(rng.random(requests) < np.where(theirs, treated, control))
        hits = np.cumsum(theirs[happened])  # the evidence moves with an event only
        log_es = excess.log_e(hits, np.arange(1, len(hits) + 1) - hits, share)
        for name, limit in limits.items():
            reached = happened[log_es >= limit]
            taken[name].append(float(theirs[: reached[0] + 1].sum()) if len(reached) else math.inf)
    found = [_taken(name, np.array(numbers), within) for name, numbers in taken.items()]
    return {key: value for part in found for key, value in part.items()}


def sizes(rng: np.random.Generator, simulations: int, units: int = 20_000) -> dict[str, float]:
    """Share of simulations in which wrong sizes were found, where they are wrong and where they are not."""
    limit = -math.log(Rules().mismatch)
    found: dict[str, list[Bools]] = {"found 52/48": [], "false 50/50": []}
    for name, share in (("found 52/48", 0.48), ("false 50/50", 0.5)):
        for size in _chunks(simulations, units):
            seen = np.cumsum(rng.random((size, units)) < share, axis=1)
            counts = np.stack([np.arange(1, units + 1) - seen, seen], axis=-1)
            found[name].append(_ever(mismatch.log_e(counts, [0.5, 0.5]) >= limit))
    return {name: float(np.concatenate(chunks).mean()) for name, chunks in found.items()}


def _running(values: Floats, treated: Bools) -> tuple[Floats, Floats]:
    """Difference of means and its variance after each unit, [simulations, units] each."""
    parts = []
    for inside in (treated, ~treated):
        n = np.cumsum(inside, axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = np.cumsum(values * inside, axis=1) / n
            variance = (np.cumsum(values**2 * inside, axis=1) - n * mean**2) / (n - 1) / n
        parts.append((mean, variance))
    (one, v_one), (two, v_two) = parts
    return one - two, v_one + v_two


def _pairs(values: Floats, binary: bool) -> Bools:
    """The mixture test with the true variance, units taken in pairs, one to each arm."""
    half = values.shape[1] // 2
    pairs = np.arange(1, half + 1)
    variance = 0.05 * 0.95 if binary else 1.0
    means = np.cumsum(values[:, 0 : 2 * half : 2] - values[:, 1 : 2 * half : 2], axis=1) / pairs
    log_es = msprt.log_e(means, pairs, variance, tau=0.1 * math.sqrt(variance))
    return _ever(log_es >= -math.log(ALPHA))


def _ever(crossed: Bools) -> Bools:
    return np.asarray(crossed.any(axis=1))


def _taken(name: str, requests: Floats, within: int | None) -> dict[str, Any]:
    if within is None:
        return {f"{name}, taken back": float(np.isfinite(requests).mean())}
    median, late = np.quantile(requests, [0.5, 0.95], method="higher")
    return {
        f"{name}, within {within}": float((requests <= within).mean()),
        f"{name}, median": float(median),
        f"{name}, p95": float(late),
    }


def _chunks(simulations: int, length: int) -> list[int]:
    """Sizes of parts that fit into memory."""
    largest = max(1, CHUNK // length)
    return [min(largest, simulations - start) for start in range(0, simulations, largest)]


if __name__ == "__main__":
    main()
