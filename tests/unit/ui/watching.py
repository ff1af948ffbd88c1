"""Monitors of the shop: `late`, whose amounts have moved and whose answers are worse for it; `orders`, which is steady;
and `fresh`, which has not looked yet. Windows of two hours over three days, the newest ending at NOW.
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import Any, Final

from daemon import definitions
from daemon.core import Daemon
from store import lifecycle, queue, watching
from store.facts import ReportFacts, WindowFacts
from store.queue import NewRun
from store.times import to_us
from store.wire import ShapePart, ShapeView
from tests.unit.ui.moments import NOW, Hand
from tui.screens.shapes import Shapes

PROJECT: Final = """
[monitors.late]
model = "late"
window = "2h"
owner = "ann"
description = "What the shop asks of late"
[monitors.late.performance]
slices = ["kind"]
[monitors.late.retrain]
reports = 2

[monitors.orders]
dataset = "orders"
time = "at"
window = "2h"

[monitors.fresh]
dataset = "orders"
window = "7d"
time = "at"
every = "6h"
"""
WINDOWS: Final = 36
_LIMITS: Final = {"psi": 0.2, "ks": 0.1, "wasserstein": 0.2, "missing": 0.2}
_REASON: Final = (
    "psi 0.314 in the newest window, and in 3 of 3 windows at or above 0.2: its mean went from 18.2 to 24.9"
)


def write(daemon: Daemon, clock: Hand) -> None:
    """Through the record's own functions, as the runs of monitors tell it."""
    clock.back(minutes=20)
    with daemon.record.transaction() as tx:
        definitions.sync(tx, daemon.project, daemon.jobs)
    _look(daemon, clock, "late", _late(range(WINDOWS - 4)), _steady("late", 1), hours=8)
    _look(daemon, clock, "orders", _orders(), _steady("orders", 0), hours=3)
    _look(daemon, clock, "late", _late(range(WINDOWS - 4, WINDOWS)), _drifted(), hours=0.5)
    clock.back(seconds=0)


def _look(
    daemon: Daemon, clock: Hand, monitor: str, windows: list[WindowFacts], report: ReportFacts, *, hours: float
) -> None:
    clock.back(hours=hours)
    with daemon.record.transaction() as tx:
        job = NewRun(job=f"monitor:{monitor}", kind="monitor", target=monitor, trigger="schedule", actor="daemon")
        run = queue.submit(tx, [job])[0]
    clock.forward(1)
    with daemon.record.transaction() as tx:
        attempt = lifecycle.start_attempt(tx, run, "n" * 32)
        lifecycle.mark_running(tx, run, attempt.number)
    clock.forward(4)
    with daemon.record.transaction() as tx:
        watching.put_windows(tx, monitor, windows)
        watching.put_report(tx, run, report)
    with daemon.record.transaction() as tx:
        lifecycle.settle(tx, run, "succeeded", reason="", exit_code=0, cpu_s=3.1)


def start(place: int) -> datetime:
    return NOW - timedelta(hours=2 * (WINDOWS - place))


def _window(place: int, version: int, **told: Any) -> WindowFacts:
    begin = start(place)
    return WindowFacts(
        version=version, start_us=to_us(begin), end_us=to_us(begin + timedelta(hours=2)), token=str(place), **told
    )


def _late(places: range) -> list[WindowFacts]:
    """The amounts move in the last three windows; labels take half a day."""
    found = []
    for place in places:
        wave, moved = math.sin(place / 3), place >= WINDOWS - 3
        rows, share = 620 + round(40 * wave), max(0.0, min(0.95, (WINDOWS - 1 - place) / 8))
        auc = 0.752 + 0.006 * wave - (0.045 if place >= WINDOWS - 10 else 0.0)
        labelled = round(rows * share)
        told = {
            "amount": _column(0.05 + 0.02 * wave + (0.22 if moved else 0.0), mean=18.2 + (6.7 if moved else 0.0)),
            "orders_7d": _column(0.03, missing=0.02 + 0.004 * place, mean=3.1),
            "$late": _column(0.06 + (0.06 if moved else 0.0), mean=0.24),
        }
        told |= {f"seen_{number:02}": _column(0.02 + 0.01 * (number % 3), mean=float(number)) for number in range(9)}
        metric = {"metric": "auc", "value": auc, "low": auc - 0.02, "high": auc + 0.02, "reference": 0.753}
        found.append(
            _window(
                place,
                1,
                rows=rows,
                labelled=labelled,
                measures=told,
                limits=dict.fromkeys(told, _LIMITS),
                performance={
                    "coverage": share,
                    "metrics": [metric],
                    "slices": [
                        _slice("home", 410, auc + 0.01),
                        _slice("shop", 150, auc - 0.06),
                        _slice("office", 60, 0.7),
                    ],
                }
                if labelled
                else {},
                estimate={"how": "cbpe", "metrics": [{**metric, "value": auc + 0.004}]},
                service={"requests": rows, "errors": 0.001, "p50_ms": 0.9, "p99_ms": 4.4 + wave, "per_second": 0.09},
            )
        )
    return found


def _slice(value: str, rows: int, auc: float) -> dict[str, Any]:
    metric = {"metric": "auc", "value": auc}
    return {"column": "kind", "value": value, "rows": rows, "labelled": rows // 2, "metrics": [metric]}


def _orders() -> list[WindowFacts]:
    found = []
    for place in range(WINDOWS - 12, WINDOWS - 1):
        told = {"amount": _column(0.03, mean=18.0), "customer": _column(0.02)} if place > WINDOWS - 12 else {}
        found.append(_window(place, 0, rows=590, measures=told, limits=dict.fromkeys(told, _LIMITS)))
    return found


def _column(psi: float, *, missing: float = 0.0, mean: float | None = None) -> dict[str, float]:
    found = {"psi": psi, "ks": psi / 2.5, "wasserstein": psi / 1.5, "missing": missing, "missing_share": missing / 4}
    found |= {"jensen_shannon": psi / 3, "hellinger": psi / 2}
    return found if mean is None else {**found, "mean": mean}


def _drifted() -> ReportFacts:
    columns = [
        _said("amount", "drifted", _REASON, 0.314),
        _said("orders_7d", "steady", "missing 0.16 of 0.2 in the newest window", 0.16, measure="missing"),
        _said("late", "steady", "psi 0.12 of 0.2 in the newest window", 0.12, subject="prediction"),
    ]
    columns += [_said(f"seen_{number:02}", "steady", "psi 0.03 of 0.2", 0.03) for number in range(9)]
    return ReportFacts(
        monitor="late",
        model="late",
        version=1,
        since_us=to_us(start(WINDOWS - 3)),
        until_us=to_us(NOW),
        state="drifted",
        reason="1 of 12 columns has drifted: amount; auc is 0.041 below what version 1 was judged by",
        rows=1_860,
        windows=3,
        body={
            "columns": columns,
            "notes": ["column coupon is gone from the log: no row of the newest window names it"],
            "life": ["version 1 is 2 days old; versions before it lasted 1 day"],
            "retrain": {"do": "nothing", "reason": "1 of 2 reports in a row asks for it"},
        },
        findings=[
            _found("drift", "amount", "amount has drifted", _REASON),
            _found(
                "performance",
                "auc",
                "auc of late has fallen",
                "auc 0.712, 0.041 below the 0.753 that version 1 was judged by; 0.02 is allowed; 62% are labelled",
            ),
        ],
    )


def _found(kind: str, subject: str, title: str, reason: str) -> dict[str, Any]:
    suggestion = f"`trainshed monitors show late --column {subject}` shows since when: has its source changed?"
    return {
        "kind": kind,
        "subject": subject,
        "severity": "warning",
        "title": title,
        "reason": reason,
        "suggestion": suggestion,
    }


def _said(
    name: str, state: str, reason: str, value: float, *, measure: str = "psi", subject: str = "feature"
) -> dict[str, Any]:
    one = {
        "measure": measure,
        "reached": 3 if state == "drifted" else 0,
        "value": value,
        "limit": 0.2,
        "reason": reason,
    }
    unsaid = ("jensen_shannon", "hellinger", "chi_square_p", "missing", "reference_missing", "new", "reference_new")
    return {
        "name": name,
        "subject": subject,
        "kind": "numeric",
        "state": state,
        "reason": reason,
        "measures": [one],
        **dict.fromkeys((*unsaid, "mean", "reference_mean")),
        "examples": [],
    }


def _steady(monitor: str, version: int) -> ReportFacts:
    names = ["amount", "customer"] if monitor == "orders" else ["amount", "orders_7d"]
    return ReportFacts(
        monitor=monitor,
        model="late" if version else "",
        version=version,
        since_us=to_us(start(WINDOWS - 7)),
        until_us=to_us(start(WINDOWS - 4)),
        state="steady",
        reason=f"none of {len(names)} columns has drifted",
        rows=1_800,
        windows=3,
        body={
            "columns": [
                _said(name, "steady", f"psi 0.03 of 0.2 in the newest window of {name}", 0.03) for name in names
            ]
        },
    )


def amounts() -> ShapeView:
    """Of the newest window, for pictures: what reads profiles is a process of its own."""
    middle = [(low + 1.0) for low in range(0, 60, 2)]
    parts = [
        ShapePart(
            label="",
            low=value - 1,
            high=value + 1,
            reference=_bell(value, 18.2, 7.0) * 2,
            current=_bell(value, 24.9, 9.0) * 2,
        )
        for value in middle
    ]
    return _shape("amount", "numeric", parts, missing=0.01)


def read_already(shapes: Shapes) -> None:
    """As if these had been looked at before: the amounts in all windows, and in the newest one every column."""
    newest = amounts()
    for column in ("orders_7d", "late", *(f"seen_{number:02}" for number in range(9))):
        shapes.keep(newest.model_copy(update={"column": column}))
    for place in range(WINDOWS):
        shapes.keep(newest.model_copy(update={"start": start(place), "end": start(place + 1)}))


def kinds() -> ShapeView:
    shares = {"home": (0.61, 0.44), "shop": (0.24, 0.31), "office": (0.1, 0.2), "kiosk": (0.02, 0.02)}
    parts = [ShapePart(label=word, low=None, high=None, reference=a, current=b) for word, (a, b) in shares.items()]
    return _shape("amount", "categorical", parts, others=0.03)


def _bell(x: float, mean: float, deviation: float) -> float:
    return math.exp(-(((x - mean) / deviation) ** 2) / 2) / (deviation * math.sqrt(2 * math.pi))


def _shape(column: str, kind: Any, parts: list[ShapePart], *, missing: float = 0.0, others: float = 0.0) -> ShapeView:
    return ShapeView(
        monitor="late",
        column=column,
        kind=kind,
        version=1,
        start=start(WINDOWS - 1),
        end=NOW,
        rows=632,
        reference_rows=34_000,
        parts=parts,
        missing=missing,
        reference_missing=0.004,
        others=others,
        reference_others=0.0,
    )
