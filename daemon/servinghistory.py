"""What endpoints have answered over time, for charts: counts of many looks as rates and quantiles. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Final

from pipeline.serving.histogram import SECONDS, quantile
from store.servingsamples import NOBODY, WHICHEVER, Cells, Counted
from store.times import SECOND, from_us
from store.wire import ServingHistoryView, ServingPoint, ServingSeries

LATELY: Final = 60 * SECOND
"""The stretch before now whose figures are the newest."""
Looks = Sequence[tuple[int, Counted]]
"""(when (µs), what was counted until then), oldest first."""


def history(looks: Iterable[tuple[int, Counted]], since: int, until: int, points: int) -> ServingHistoryView:
    """From `since` to `until` (µs) in at most `points` stretches of equal length.

    They begin at multiples of their length, so that those of the past are the same in the next answer.
    """
    step = max(1, -(-(until - since) // points))
    since += -since % step
    of: dict[tuple[str, int], list[tuple[int, Counted]]] = defaultdict(list)
    for at, counted in looks:
        of[counted.model, counted.version].append((at, counted))
    return ServingHistoryView(
        since=from_us(since),
        step_seconds=step / SECOND,
        series=[_series(key, found, since, step, until) for key, found in sorted(of.items())],
    )


def _series(key: tuple[str, int], looks: Looks, since: int, step: int, until: int) -> ServingSeries:
    stretches: dict[int, list[Counted]] = defaultdict(list)
    for at, counted in looks:
        if at >= since:
            stretches[(at - since) // step].append(counted)
    return ServingSeries(
        model=None if key[0] == NOBODY else key[0],
        version=None if key[1] == WHICHEVER else key[1],
        points=[point(since + number * step, found) for number, found in sorted(stretches.items())],
        lately=_lately([(at, counted) for at, counted in looks if at >= until - LATELY], until),
    )


def _lately(looks: Looks, until: int) -> ServingPoint | None:
    """The last minute, or what has been counted of it: a rest of which no row speaks yet is a part of it."""
    if not looks:
        return None
    began = max(until - LATELY, looks[0][0] - round(looks[0][1].seconds * SECOND))
    found = point(began, [counted for _, counted in looks])
    seconds = (until - began) / SECOND
    return found.model_copy(update={"seconds": seconds, "rps": found.requests / seconds if seconds else 0.0})


def point(at: int, found: Sequence[Counted]) -> ServingPoint:
    """Several looks at one thing, one after another, as one; `at` (µs) is when the stretch began."""
    seconds, requests, runs = (sum(getattr(one, name) for one in found) for name in ("seconds", "requests", "runs"))
    latency, queued = _merged(one.latency for one in found), _merged(one.queued for one in found)
    return ServingPoint(
        at=from_us(at),
        seconds=seconds,
        requests=requests,
        rps=requests / seconds if seconds else 0.0,
        errors=sum(one.errors for one in found),
        refused=sum(one.refused for one in found),
        p50_ms=_milliseconds(latency, 0.5),
        p95_ms=_milliseconds(latency, 0.95),
        p99_ms=_milliseconds(latency, 0.99),
        queued_ms=_milliseconds(queued, 0.95),
        waiting=max((one.waiting for one in found), default=0),
        batch_rows=sum(one.rows for one in found) / runs if runs else None,
        dropped=sum(one.dropped for one in found),
        compilations=sum(one.compilations for one in found),
    )


def _merged(cells: Iterable[Cells]) -> list[int]:
    counts: Counter[int] = Counter()
    for cell, count in chain.from_iterable(cells):
        counts[cell] += count
    return [counts[cell] for cell in range(len(SECONDS) + 1)]


def _milliseconds(counts: Sequence[int], share: float) -> float | None:
    seconds = quantile(SECONDS, counts, share)
    return None if seconds is None else round(seconds * 1000, 3)
