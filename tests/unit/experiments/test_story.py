"""From requests to a decision: routed, logged, read into the lake, outcomes joined, and judged each day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pytest

from pipeline.experiments.cohort import first_exposures, matured, totals
from pipeline.experiments.decide import Decision, Rules, Standing, decided
from pipeline.experiments.evalues import always_valid
from pipeline.experiments.guardrails import Guardrail, judged
from pipeline.experiments.mismatch import log_e
from pipeline.experiments.sampled import Moments, difference
from pipeline.experiments.sequence import interval
from pipeline.predictions.ingest import ingest
from pipeline.predictions.log import PredictionLog
from pipeline.predictions.record import Prediction
from pipeline.traffic.route import route
from pipeline.traffic.split import Split, laid_out, ramped
from store import lake
from store.times import to_us

BEGUN = datetime(2026, 3, 2, tzinfo=UTC)
DAY = timedelta(days=1)
RULES = Rules(least_units=500, least_time=7 * DAY)


def served(place: Path, split: Split, rng: np.random.Generator, *, requests: int = 6000) -> Path:
    """Two weeks of requests of 3,000 units, in the lake."""
    log = PredictionLog(place / "segments", "one", now_us=lambda: 0)
    for number, at in enumerate(np.sort(rng.uniform(0, 14, requests))):
        unit, request = f"unit-{rng.integers(3000)}", f"r-{number}"
        found = route(split, unit=unit, request=request)
        at_us = to_us(BEGUN + float(at) * DAY)
        log.offer(Prediction(request, at_us, "late", found.version, found.why, unit, 4, 300, 200, None, [0.5]))
    log.close()
    assert ingest(place / "segments", place / "table").rows == requests
    return place / "table"


def judged_on(day: int, table: Path, split: Split, bought: dict[str, float]) -> Decision:
    """`bought`: what each unit pays on the day after it was first met."""
    now, window = BEGUN + day * DAY, 2 * DAY
    log = lake.dataset_at(table).to_table(columns=["unit", "version", "at", "why"])
    log = log.filter((pc.field("why") == "assigned") & (pc.field("at") <= now))
    exposed = first_exposures(*(log[name].to_numpy() for name in ("unit", "version", "at")))
    paid = totals(
        exposed, exposed.unit, exposed.at + np.timedelta64(DAY), np.array([bought[u] for u in exposed.unit]), window
    )
    ripe = matured(exposed, window, now)
    arms = {v: Moments.of(paid[ripe & exposed.of_arm(v)]).sampled() for v in split.shares}
    apart = difference(arms[2], arms[1])
    sizes = [int(exposed.of_arm(v).sum()) for v in split.shares]
    return decided(
        Standing(
            running=now - BEGUN,
            begun=now - BEGUN,
            exposed={f"v{v}": size for v, size in zip(split.shares, sizes, strict=True)},
            units={f"v{v}": one.units for v, one in arms.items()},
            mismatch=always_valid(float(log_e(sizes, list(split.shares.values())))),
            metric="paid",
            primary=interval(apart, 0.05, tightest=2000),
            guardrails=[
                judged(Guardrail(metric="paid", better="higher", margin=0.5), lambda a: interval(apart, a), 0.05)
            ],
        ),
        RULES,
    )


@pytest.mark.slow
@pytest.mark.parametrize(("effect", "action", "latest"), [(0.5, "promote", 14), (-2.0, "roll back", 6)])
def test_a_better_version_is_promoted_in_time_and_a_worse_one_taken_back_at_once(
    tmp_path: Path, effect: float, action: str, latest: int
) -> None:
    rng = np.random.default_rng(8)
    split = ramped(laid_out("late-2", 1, {2: 0.5}), 2, 0.5)
    table = served(tmp_path, split, rng)
    treated = {u: route(split, unit=u, request="r").version == 2 for u in (f"unit-{n}" for n in range(3000))}
    bought = {unit: float(rng.normal(5 + effect * inside, 2)) for unit, inside in treated.items()}
    decisions = {day: judged_on(day, table, split, bought) for day in range(1, 15)}
    first = next((day, one) for day, one in decisions.items() if one.action != "go on")
    assert first[1].action == action
    assert first[0] <= latest
    assert (first[0] >= 7) == (action == "promote")
