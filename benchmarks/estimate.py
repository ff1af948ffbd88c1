"""How near an estimate without labels comes to what labels say: CBPE on all flights that left New York in 2013.

The demo's own tables and views (336,776 flights, 18 features) are made in process, and gradient-boosted trees learn
from half of the rows, drawn at random. 20,000 others are the reference, and windows of 5,000 rows come from the rest:

- `shifted`: other flights than before (only one airport, only long ones, storms …), the same question: covariate shift.
  That is what the method claims to follow.
- `arrival`: the same of another question, whether a flight that has left arrives late (`benchmarks/made/arrivals.py`):
  its scores answer it better, so a window's AUC is less of a sample.
- `later`: trees that learned from January to April answer each month that follows, reference April's last 20,000 rows.
  There the question changes too, and no estimate without labels can see that.

One JSON object. For each: `error`, the mean of |estimated - realised AUC| over its windows; `chance`, what that mean
would be if the estimate were perfect, for 5,000 labels are a sample too (σ·√(2/π), σ by `cbpe.expected`); `floor`, the
same without a model: the mean of |AUC of all labels of that kind of flight - realised AUC|, by which even he is off who
knows the true AUC; `bias`, the mean of estimated - realised; `off`, |mean of the estimates - AUC of all labels of that
kind of flight|, from which chance in the labels of a window is gone; `blind`, `error` of who says the reference's AUC
instead; `covered`, the share of the windows whose realised AUC the 95 % interval holds. And `us_a_row`: CPU of an
estimate.

    python benchmarks/estimate.py [--windows 20] [--rows 5000]
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from sklearn.ensemble import HistGradientBoostingClassifier

from benchmarks.describe import demo, run
from benchmarks.made.arrivals import KINDS, LATE, arrivals
from pipeline.config import Project
from pipeline.features.run import run_features
from pipeline.process.context import RunContext
from pipeline.process.spec import RunSpec
from pipeline.process.spool import Spool
from pipeline.stats.auc import auc
from pipeline.stats.measured import Floats
from pipeline.trainingset.build import build_training_set
from pipeline.versions.signature import FeatureKind
from pipeline.watching.cbpe import expected
from pipeline.watching.estimate import Estimator, estimated, fit_estimator
from pipeline.watching.matrix import categorical, matrix, vocabulary
from store.home import Home

DATASETS = ("airlines", "airports", "planes", "weather", "flights_raw", "flights")
REFERENCE = 20_000
Rows = npt.NDArray[np.int64]
SHIFTS: dict[str, Callable[[pa.Table], Any]] = {
    "none": lambda t: np.ones(t.num_rows),
    "only from JFK": lambda t: of(t, "origin") == "JFK",
    "only from Newark": lambda t: of(t, "origin") == "EWR",
    "after 17:00": lambda t: of(t, "minute_of_day") >= 17 * 60,
    "before 9:00": lambda t: of(t, "minute_of_day") < 9 * 60,
    "over 1,500 miles": lambda t: of(t, "distance") > 1500,
    "under 500 miles": lambda t: of(t, "distance") < 500,
    "rain or snow": lambda t: of(t, "precip") > 0,
    "strong wind": lambda t: of(t, "wind_speed") > 15,
    "old planes": lambda t: of(t, "plane_age") > 15,
}
OTHERS: dict[str, Callable[[pa.Table], Any]] = {
    "others are landing late": lambda t: of(t, "origin_delay") > 15,
    "others are landing early": lambda t: of(t, "origin_delay") < -5,
}


@dataclass(frozen=True)
class World:
    """Rows with what became of them."""

    table: pa.Table
    kinds: dict[str, FeatureKind]
    inputs: Floats
    late: npt.NDArray[np.int32]
    month: npt.NDArray[np.int64]


def of(table: pa.Table, column: str) -> Any:
    return table.column(column).to_numpy()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--windows", type=int, default=20)
    parser.add_argument("--rows", type=int, default=5000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        world, landing = made(Path(folder)), landed(Path(folder))
    rng = np.random.default_rng(0)
    shifted = across(world, rng, asked.windows, asked.rows)
    arrival = across(landing, np.random.default_rng(0), asked.windows, asked.rows)
    found = {"rows": len(world.late), "window_rows": asked.rows, "windows": asked.windows}
    print(json.dumps({**found, **shifted, "arrival": arrival, "later": by_month(world, rng, asked.rows)}, indent=2))


# ------------------------------------------------------------------------------------------------------ the data


def made(root: Path) -> World:
    """The demo's training set, all parts together."""
    project, home = demo(root), Home(root / "home")
    for number, name in enumerate(DATASETS):
        run(project, home, name, number + 1)
    for number, name in enumerate(project.features):
        run_features(context(project, home, f"features:{name}", 20 + number))
    parts = build_training_set(context(project, home, "train:late", 30), "late", project.models["late"])
    table = pa.concat_tables([parts.read(part) for part in ("train", "validate", "test")])
    kinds: dict[str, FeatureKind] = {feature.name: feature.kind for feature in parts.features}
    inputs = matrix(table, kinds, vocabulary([table], kinds))
    late = np.asarray(table.column("late").to_numpy(), np.int32)
    month = np.array([one.month for one in table.column("sched_dep").to_pylist()])
    return World(table, kinds, inputs, late, month)


def landed(folder: Path) -> World:
    table = arrivals(folder)
    inputs = matrix(table, KINDS, vocabulary([table], KINDS))
    late = np.asarray(table.column(LATE).to_numpy(), np.int32)
    return World(table, KINDS, inputs, late, np.asarray(of(table, "month"), np.int64))


def context(project: Project, home: Home, job: str, number: int) -> RunContext:
    folder = home.attempt(number, 1).root
    folder.mkdir(parents=True)
    kind, _, target = job.partition(":")
    spec = RunSpec.model_validate(
        {"run": number, "attempt": 1, "nonce": "n", "job": job, "kind": kind, "target": target}
        | {"project": project.root, "home": home.root}
    )
    return RunContext(
        spec=spec,
        project=project,
        home=home,
        spool=Spool(folder / "events.jsonl", time.time),
        now=lambda: datetime.now(UTC),
        stop=threading.Event(),
    )


# ------------------------------------------------------------------------------------------------- what is measured


def across(world: World, rng: np.random.Generator, windows: int, size: int) -> dict[str, Any]:
    """Other flights, the same question."""
    order = rng.permutation(len(world.late))
    half = len(order) // 2
    scores = learned(world, order[:half])
    reference, pool = order[half : half + REFERENCE], order[half + REFERENCE :]
    estimator = fit_estimator("binary", world.late[reference], scores[reference])
    blind = auc(world.late[reference] == 1, scores[reference])
    found = {}
    kinds = SHIFTS | (OTHERS if "origin_delay" in world.kinds else {})
    for name, chosen in kinds.items():
        here = pool[np.asarray(chosen(world.table.take(pa.array(pool))), np.bool_)]
        draws = [rng.choice(here, size, replace=len(here) < 2 * size) for _ in range(windows)]
        found[name] = compared(world, scores, estimator, blind, draws, here)
    errors = [one["error"] for one in found.values()]
    began = time.process_time()
    for _ in range(20):
        estimated(estimator, scores[pool[:size]])
    took = (time.process_time() - began) / 20 / size
    means = {
        name: round(float(np.mean([one[name] for one in found.values()])), 4)
        for name in ("chance", "floor", "off", "blind")
    }
    whole = {"error": round(float(np.mean(errors)), 4), **means, "us_a_row": round(took * 1e6, 2)}
    return {"reference_auc": round(blind, 4), "shifted_mean": whole, "shifted": found}


def by_month(world: World, rng: np.random.Generator, size: int) -> dict[str, Any]:
    """Months after those it learned from; a reference it has not seen."""
    before = np.flatnonzero(world.month <= 4)
    learned_from, reference = before[:-REFERENCE], before[-REFERENCE:]
    scores = learned(world, learned_from)
    estimator = fit_estimator("binary", world.late[reference], scores[reference])
    blind = auc(world.late[reference] == 1, scores[reference])
    found: dict[str, Any] = {"reference_auc": round(blind, 4)}
    for month in range(5, 13):
        here = np.flatnonzero(world.month == month)
        draws = [here[start : start + size] for start in range(0, len(here) - size + 1, size)]
        found[f"month {month}"] = compared(world, scores, estimator, blind, draws, here)
    return found


def learned(world: World, rows: Rows) -> Floats:
    """Scores of all rows, by trees that learned from these."""
    trees = HistGradientBoostingClassifier(
        max_iter=200, early_stopping=True, categorical_features=categorical(world.kinds), random_state=0
    )
    trees.fit(world.inputs[rows], world.late[rows])
    return np.asarray(trees.predict_proba(world.inputs)[:, 1], np.float64)


def compared(
    world: World, scores: Floats, estimator: Estimator, blind: float, draws: list[Rows], kind: Rows
) -> dict[str, float]:
    """Windows of one kind of flight, and all flights of that kind."""
    told = [estimated(estimator, scores[rows])["auc"] for rows in draws]
    truth = np.array([auc(world.late[rows] == 1, scores[rows]) for rows in draws])
    values = np.array([one.value for one in told])
    sigma = np.mean([expected(estimator.maps[0](scores[rows]), scores[rows]).auc_error or 0.0 for rows in draws])
    whole = auc(world.late[kind] == 1, scores[kind])
    covered = np.mean([one.low <= real <= one.high for one, real in zip(told, truth, strict=True)])
    figures = {
        "auc": whole,
        "error": float(np.abs(values - truth).mean()),
        "chance": float(sigma) * math.sqrt(2 / math.pi),
        "floor": float(np.abs(truth - whole).mean()),
        "bias": float((values - truth).mean()),
        "off": abs(float(values.mean()) - whole),
        "blind": float(np.abs(blind - truth).mean()),
        "covered": float(covered),
    }
    return {"rows": len(kind)} | {name: round(value, 4) for name, value in figures.items()}


if __name__ == "__main__":
    main()
