"""What the runs of the test history found out: datasets' versions, checks, two trained models with their evidence."""

from __future__ import annotations

import math
from typing import Any, Final

from store.facts import (
    CategoryFacts,
    CheckFacts,
    ColumnFacts,
    DatasetFacts,
    HistogramFacts,
    TrainingSetFacts,
    VersionFacts,
)
from store.times import to_us
from tests.unit.ui.moments import NOW

EVALUATIONS: Final = 8
_AMOUNTS: Final = HistogramFacts(
    low=-3.2,
    high=940.0,
    counts=[310, 9_120, 14_800, 10_400, 6_210, 3_900, 2_300, 1_400, 820, 510, 300, 120, 50, 20, 4],
)
_CUSTOMERS: Final = [CategoryFacts(value="a007", count=1_204), CategoryFacts(value="b031", count=640)]


def orders(version: int, rows: int, added: int, removed: int = 0, quarantined: int = 0) -> DatasetFacts:
    columns = [
        ColumnFacts(name="id", type="int64", nulls=0, distinct=rows, low="1", high=str(rows)),
        ColumnFacts(
            name="at", type="timestamp[us, tz=UTC]", nulls=0, distinct=rows // 3, low="2026-01-01", high="2026-06-14"
        ),
        ColumnFacts(name="customer", type="string", nulls=0, distinct=912, low="a001", high="z940", top=_CUSTOMERS),
        ColumnFacts(
            name="amount", type="double", nulls=14, distinct=7_702, low="-3.2", high="940.0", histogram=_AMOUNTS
        ),
        ColumnFacts(name="late", type="int64", nulls=0, distinct=2, low="0", high="1"),
    ]
    return DatasetFacts(
        dataset="orders",
        kind="dataset",
        version=version,
        rows=rows,
        added=added,
        removed=removed,
        quarantined=quarantined,
        bytes=rows * 41,
        columns=columns,
        schema_changes=[] if version == 0 else ["late: bool became int64"],
        fingerprint=f"{version + 1:064x}",
        newest_us=to_us(NOW) - 3_600_000_000 * (30 - version),
        sample=[
            {"id": n, "at": f"2026-06-14T0{n}:00:00+00:00", "customer": f"a00{n}", "amount": 3.5 * n, "late": n % 2}
            for n in range(1, 6)
        ],
    )


def habits(version: int, rows: int, orders: int) -> DatasetFacts:
    columns = [
        ColumnFacts(name="customer", type="string", nulls=0, distinct=912),
        ColumnFacts(name="at", type="timestamp[us, tz=UTC]", nulls=0, distinct=165),
        ColumnFacts(name="orders_7d", type="int64", nulls=0, distinct=31, low="0", high="44"),
        ColumnFacts(name="late_share_7d", type="double", nulls=120, distinct=610, low="0.0", high="1.0"),
    ]
    return DatasetFacts(
        dataset="habits",
        kind="feature view",
        version=version,
        rows=rows,
        added=rows,
        bytes=rows * 33,
        columns=columns,
        inputs={"orders": orders},
        fingerprint="a" * 64,
        newest_us=to_us(NOW) - 3_600_000_000 * 30,
    )


def unique(total: int, failing: int = 0) -> CheckFacts:
    return CheckFacts(
        name="unique(id)",
        kind="unique",
        severity="fail",
        outcome="fail" if failing else "pass",
        failing=failing,
        total=total,
        allowed=0.0,
        detail=f"{failing:,} of {total:,} rows repeat the id of an earlier row",
        sample=[{"id": 7, "at": "2026-06-13T07:00:00+00:00", "customer": "a007", "amount": 24.5, "late": 1}]
        * bool(failing),
    )


def in_range(total: int, failing: int) -> CheckFacts:
    return CheckFacts(
        name="range(amount)",
        kind="range",
        severity="warn",
        outcome="warn" if failing / total > 0.01 else "pass",
        failing=failing,
        total=total,
        allowed=0.01,
        detail=f"{failing:,} of {total:,} rows have an amount that is not at least 0; at most 1% may",
        sample=[{"id": 31, "at": "2026-06-13T09:30:00+00:00", "customer": "b031", "amount": -3.2, "late": 0}],
    )


def training_set(run: int, version: int) -> TrainingSetFacts:
    return TrainingSetFacts(
        digest=f"{version}" * 64,
        model="late",
        path=f"training-sets/{version}",
        rows=48_000,
        columns=[ColumnFacts(name="amount", type="double"), ColumnFacts(name="orders_7d", type="int64")],
        inputs={"orders": version - 1, "features:habits": 0},
        query="SELECT …",
    )


def version(run: int, number: int, auc: float, baseline: float, production: float | None) -> VersionFacts:
    """A trained model; `production`: the AUC of what was in production, on the same rows."""
    metrics = {
        "auc": _interval(auc, 0.008),
        "log_loss": _interval(0.47 - auc / 50, 0.006),
        "accuracy": _interval(auc + 0.02, 0.007),
        "brier": _interval(0.15 - auc / 100, 0.003),
    }
    return VersionFacts(
        model="late",
        digest=f"{number}b" * 32,
        path=f"versions/{f'{number}b' * 32}",
        task="binary",
        objective="auc",
        metrics=metrics,
        baseline={"auc": baseline, "log_loss": 0.462, "accuracy": baseline + 0.02, "brier": 0.147},
        evidence=_evidence(metrics, auc, baseline, production),
        signature={
            "inputs": [
                {"name": "amount", "kind": "numeric", "vocabulary": []},
                {"name": "orders_7d", "kind": "numeric", "vocabulary": []},
                {"name": "customer_kind", "kind": "categorical", "vocabulary": ["home", "shop", "office"]},
            ],
            "task": "binary",
            "label": "late",
            "classes": ["0", "1"],
        },
        lineage={
            "run": run,
            "attempt": 1,
            "made_at": NOW.isoformat(),
            "training_set": str(number) * 64,
            "inputs": {"orders": number - 1, "features:habits": 0},
            "query": "SELECT …",
            "rows": {"train": 34_000, "validate": 7_000, "test": 7_000},
            "device": {"platform": "cpu", "kind": "cpu"},
            "libraries": {"jax": "0.10.2", "flax": "0.12.8"},
            "parameters": 51_639,
            "steps": 800 + 400 * number,
            "best_step": 700 + 300 * number,
            "skipped_steps": 0,
            "resumed_from": None,
        },
        verdict=_verdict(auc, baseline, production),
        training_set=str(number) * 64,
        fingerprint=f"{number}f" * 32,
    )


def _interval(value: float, half: float) -> dict[str, float]:
    return {"value": round(value, 4), "low": round(value - half, 4), "high": round(value + half, 4), "level": 0.95}


def _difference(metric: str, value: float, half: float, test: str) -> dict[str, Any]:
    return {"metric": metric, "difference": _interval(value, half), "p_value": 0.003, "test": test, "rows": 7_000}


def _evidence(metrics: dict[str, Any], auc: float, baseline: float, production: float | None) -> dict[str, Any]:
    steps = [200 * (n + 1) for n in range(EVALUATIONS)]
    train = [round(0.44 + 0.2 * math.exp(-n / 2), 4) for n in range(EVALUATIONS)]
    validation = [round(loss + 0.01 + 0.002 * n, 4) for n, loss in enumerate(train)]
    bins = [
        {"rows": 700, "forecast": n / 10 + 0.05, "observed": round(n / 10 + 0.05 + 0.01 * (n % 3), 3)}
        for n in range(10)
    ]
    against = None
    if production is not None:
        differences = [
            _difference("auc", auc - production, 0.004, "DeLong"),
            _difference("log_loss", -0.004, 0.002, "paired bootstrap"),
        ]
        against = {"version": 1, "metrics": {"auc": production}, "differences": differences, "incomparable": ""}
    return {
        "task": "binary",
        "objective": "auc",
        "rows": 7_000,
        "metrics": metrics,
        "baseline": {
            "version": None,
            "metrics": {"auc": baseline},
            "differences": [_difference("auc", auc - baseline, 0.005, "DeLong")],
            "incomparable": "",
        },
        "production": against,
        "parts": {
            part: {"rows": rows, "loss": loss, "objective": auc + extra}
            for part, rows, loss, extra in (
                ("train", 34_000, 0.441, 0.012),
                ("validate", 7_000, 0.456, 0.004),
                ("test", 7_000, 0.455, 0.0),
            )
        },
        "gap": {"train": 0.441, "validation": 0.456, "relative": _interval(0.033, 0.02)},
        "curve": {
            "curve": {
                "steps": steps,
                "train_loss": train,
                "validation_loss": validation,
                "best_step": 1_000,
                "budget": steps[-1],
            },
            "share_of_budget": 0.62,
            "risen_after_best": 0.004,
        },
        "calibration": {"error": 0.0121, "by_chance": 0.0125, "brier": 0.142, "table": bins},
        "slices": [
            {
                "column": "customer_kind",
                "value": value,
                "rows": rows,
                "objective": auc - drop,
                "drop": drop,
                "p_value": 0.2,
                "adjusted": 0.6,
            }
            for value, rows, drop in (("home", 4_100, -0.004), ("shop", 2_200, 0.006), ("office", 700, 0.031))
        ],
        "leakage": {
            "duplicate_share": 0.0,
            "duplicate_share_by_chance": 0.0,
            "single_feature_auc": {"orders_7d": 0.69, "amount": 0.58},
            "adversarial_auc": 0.61,
        },
    }


def _verdict(auc: float, baseline: float, production: float | None) -> dict[str, Any]:
    better = auc - baseline
    gates = [
        _gate("test rows", "7000 test rows; at least 200 are needed", 7000.0, 200.0),
        _gate("baseline", f"auc {auc:.4f} against the baseline's {baseline:.4f}: {better:.4f} better", better, -0.01),
        _gate(
            "gap",
            "validation loss 0.456 against train loss 0.441: a gap of 3.3%; at most 15.0% is allowed",
            0.033,
            0.15,
        ),
        _gate("calibration", "calibration error 0.0121; at most 0.1000 is allowed", 0.0121, 0.1),
    ]
    if production is not None:
        worst = auc - production - 0.004
        reason = f"auc {auc - production:.4f} better than version 1 on the same 7000 rows, at worst {worst:+.4f}"
        gates.insert(2, _gate("production", reason, worst, -0.005))
    return {"passed": True, "gates": gates}


def _gate(gate: str, reason: str, value: float, limit: float) -> dict[str, Any]:
    return {"gate": gate, "outcome": "pass", "reason": reason, "value": value, "limit": limit}
