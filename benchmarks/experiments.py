"""How often comparisons and canaries are wrong, and how soon they are right: simulations with a look after each unit.

    python benchmarks/experiments.py [--simulations 500] [--seed 1]

`a_a`: two equal arms, 20,000 units; the share of simulations in which a test ever said that they differ, which has to
stay at or below alpha. `unsteadied` is the confidence sequence as it is published, from an arm's second unit on.
`fixed` is the usual z-test at each look, to show what looking does to it. `canary`: errors go from 1 % to 5 % at 10 %
of the traffic; the share taken back within 600 of the canary's requests, by the test alone and by a plan as it comes,
whose three stages and three kinds of events share its alpha. `calm`: the same with equal rates over 100,000 requests;
the share taken back wrongly. `sizes`: 52/48 where 50/50 was planned, found by 20,000 units; and what is found falsely
with 50/50.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import numpy.typing as npt
from scipy.stats import norm

from pipeline.experiments import excess, mismatch, msprt
from pipeline.experiments.decide import Rules
from pipeline.experiments.sampled import BORROWED, steadied
from pipeline.experiments.sequence import LEAST, radius
from pipeline.experiments.stages import Plan
from pipeline.stats.measured import Floats

ALPHA: Final = 0.05
Bools = npt.NDArray[np.bool_]
Kind = Literal["binary 5 %", "binary 0.5 %", "normal", "lognormal"]


@dataclass(frozen=True)
class Metric:
    """What units bring."""

    draw: Callable[[np.random.Generator, tuple[int, int]], Floats]
    variance: float


KINDS: Final[dict[Kind, Metric]] = {
    "binary 5 %": Metric(lambda rng, size: (rng.random(size) < 0.05).astype(np.float64), 0.0475),
    "binary 0.5 %": Metric(lambda rng, size: (rng.random(size) < 0.005).astype(np.float64), 0.004975),
    "normal": Metric(lambda rng, size: rng.normal(size=size), 1.0),
    "lognormal": Metric(lambda rng, size: rng.lognormal(0.0, 1.5, size), math.expm1(1.5**2) * math.exp(1.5**2)),
}
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
        "a_a": {
            f"{kind}, arm of {share:.0%}": a_a(rng, many, kind, share=share)
            for kind in KINDS
            for share in (0.5, 0.1, 0.01)
        },
        "canary": canary(rng, many, control=0.01, treated=0.05, share=0.1, requests=6000, within=600),
        "calm": {
            f"at {share:.0%}": canary(rng, many, control=0.01, treated=0.01, share=share, requests=100_000, within=None)
            for share in (0.01, 0.1, 0.5)
        },
        "sizes": sizes(rng, many),
        "cpu_s": round(time.process_time() - began, 1),
    }
    print(json.dumps(report, indent=2))


def a_a(
    rng: np.random.Generator, simulations: int, kind: Kind, *, share: float = 0.5, units: int = 20_000
) -> dict[str, float]:
    """Share of simulations in which each test ever said "different", looking after each unit."""
    alarms: dict[str, list[Bools]] = {"sequence": [], "unsteadied": [], "msprt": [], "fixed": []}
    looks = np.arange(1, units + 1)
    for size in _chunks(simulations, units):
        treated = rng.random((size, units)) < share
        values = KINDS[kind].draw(rng, (size, units))
        one, two = _running(values, treated), _running(values, ~treated)
        apart, smaller = np.abs(one.mean - two.mean), np.minimum(one.units, two.units)
        steady, plain = (_variance(one, two, borrowed) for borrowed in (BORROWED, 0.0))
        alarms["sequence"].append(_ever(apart > radius(steady, looks, smaller, ALPHA)))
        alarms["unsteadied"].append(_ever(apart > radius(plain, looks, (smaller >= 2) * LEAST, ALPHA)))
        alarms["fixed"].append(_ever((apart > norm.isf(ALPHA / 2) * np.sqrt(plain)) & (smaller >= LEAST)))
        alarms["msprt"].append(_pairs(values, KINDS[kind].variance))
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
    # One kind of three, one stage of three of which nothing is known but that the others' evidence is at least 0.
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


@dataclass(frozen=True)
class Running:
    """An arm after each unit of both, [simulations, units] each."""

    units: Floats
    mean: Floats
    spread: Floats
    """s² of a unit."""


def _running(values: Floats, inside: Bools) -> Running:
    n = np.cumsum(inside, axis=1).astype(np.float64)
    mean = np.cumsum(values * inside, axis=1) / np.maximum(n, 1.0)
    squares = np.cumsum(values**2 * inside, axis=1) - n * mean**2
    return Running(n, mean, np.maximum(squares, 0.0) / np.maximum(n - 1.0, 1.0))


def _variance(one: Running, two: Running, borrowed: float) -> Floats:
    """Of the difference of the means."""
    first = steadied(one.spread, one.units, two.spread, two.units, borrowed) / np.maximum(one.units, 1.0)
    second = steadied(two.spread, two.units, one.spread, one.units, borrowed) / np.maximum(two.units, 1.0)
    return first + second


def _pairs(values: Floats, variance: float) -> Bools:
    """The mixture test with the true variance, units taken in pairs, one to each arm."""
    half = values.shape[1] // 2
    pairs = np.arange(1, half + 1)
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
