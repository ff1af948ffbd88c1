"""Experiments are looked at every five minutes, after labels have come, and when somebody asks; then it is decided.

What a look says is a function of the logs and the time (`pipeline.experiments.report`, a program of its own), and what
is done is a change of the record. So a daemon that was killed goes on where the record is, and tells nothing twice.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from daemon.endpoints import Endpoints
from daemon.program import ask_program
from daemon.roundsman import Roundsman
from pipeline.experiments.looks import look_of, with_look
from pipeline.experiments.questions import Asked
from pipeline.traffic.documents import split_of
from store import comparisons
from store.engine import Record, Transaction
from store.errors import Conflict, TrainshedError
from store.tables import Comparison
from store.times import Clock, to_us
from store.words import ComparisonStatus

EVERY_S: Final = 300.0
HURRY_S: Final = 30.0
"""Between two looks, however fast labels come."""
FRESH_S: Final = 30.0
"""For what is logged to get into the lake; beyond it, what is there is looked at."""
REPORT_S: Final = 120.0
ACTOR: Final = "daemon"
_ENDS: Final[Mapping[str, ComparisonStatus]] = {"roll back": "rolled back", "invalid": "invalid"}
log = logging.getLogger(__name__)


class Experiments(Roundsman):
    """Woken when one may have begun or ended. A look that is under way when it stops changes nothing any more."""

    def __init__(self, record: Record, endpoints: Endpoints, fresh: Callable[[float], bool], clock: Clock) -> None:
        """`fresh`: has what is logged taken into the lake, waiting no longer than so many seconds."""
        super().__init__(
            "experiments", trouble="experiments are not looked at", action="experiment_trouble", again_s=EVERY_S
        )
        self._record = record
        self._endpoints = endpoints
        self._fresh = fresh
        self._clock = clock
        self._turn = threading.Lock()
        self._looked: dict[int, float] = {}
        """Comparison → when it was looked at last, by the clock that only goes forward."""
        self._hurried: set[str] = set()
        """Models that have new labels."""
        self._problems: dict[int, str] = {}

    def labels_came(self, model: str) -> None:
        self._hurried.add(model)
        self.wake()

    def problem(self, number: int) -> str:
        """Why the last look at a comparison could not be had; empty if it could."""
        return self._problems.get(number, "")

    def look(self, number: int) -> None:
        """Now, if it runs: its report is kept, and what it decides is done. What goes wrong is a `problem`."""
        with self._turn:
            try:
                with self._record.read() as session:
                    row = comparisons.get(session, number)
                if row.status == "running":
                    self._act(row, self._report(row))
                self._problems.pop(number, None)
            except Conflict as overtaken:  # somebody ended it, or moved production, at this moment
                log.info("%s", overtaken.what)
            except TrainshedError as error:
                self._problems[number] = error.what
                log.warning("experiment %s: %s", number, error.what, extra={"action": "experiment_trouble"})
            finally:
                self._looked[number] = time.monotonic()

    # ---------------------------------------------------------------------------------------------------- the thread

    def _round(self) -> float | None:
        """Looks at all that are due; how long until the next one is, or None if none runs."""
        for row in self._running():
            if not self._stopping and self._due_in(row) <= 0.0:
                self.look(row.id or 0)
        rows = self._running()
        return max(0.1, min(map(self._due_in, rows))) if rows else None

    def _running(self) -> list[Comparison]:
        with self._record.read() as session:
            rows = [row for row in comparisons.all_running(session) if row.kind == "experiment"]
        self._looked = {number: at for number, at in self._looked.items() if number in {row.id for row in rows}}
        return rows

    def _due_in(self, row: Comparison) -> float:
        """Seconds."""
        every = HURRY_S if row.model in self._hurried else EVERY_S
        looked = self._looked.get(row.id or 0)
        return 0.0 if looked is None else looked + every - time.monotonic()

    # ------------------------------------------------------------------------------------------------------- a look

    def _report(self, row: Comparison) -> dict[str, Any]:
        self._fresh(FRESH_S)
        self._hurried.discard(row.model)
        arguments = [str(self._record.home.root), row.model, json.dumps(asked_of(row, to_us(self._clock())))]
        said: dict[str, Any] = ask_program("pipeline.experiments.report", arguments, REPORT_S)
        return said

    def _act(self, row: Comparison, report: dict[str, Any]) -> None:
        action, reason = report["decision"]["action"], report["decision"]["reason"]
        state = _seen(row, report)
        if action in _ENDS:
            what = comparisons.named(row)
            log.warning("%s ends, %s: %s", what, action, reason, extra={"action": "experiment_end"})
            self._endpoints.change(row.model, lambda tx: _ended(tx, row.id or 0, _ENDS[action], reason, state))
            return
        won = action == "promote" and _action(row.state) != "promote"
        with self._record.transaction() as tx:
            sentence = f"is decided, the version waits to be promoted: {reason}"
            now = comparisons.get(tx.session, row.id or 0)
            comparisons.keep(tx, now, state, verb="decided" if won else "", sentence=sentence)


def asked_of(row: Comparison, now: int) -> Asked:
    """What the program is asked at a moment (µs)."""
    (treatment,) = split_of(row.control, row.split).treatments
    return {
        "control": row.control,
        "treatment": treatment.version,
        "share": treatment.share,
        "began": row.began_at,
        "until": now + 1 if row.ended_at is None else row.ended_at,
        "now": now,
        "question": row.plan,  # type: ignore[typeddict-item]  # as `question_document` made it
    }


def _seen(row: Comparison, report: Mapping[str, Any]) -> dict[str, Any]:
    """The state after a look."""
    looks = with_look(row.state.get("looks", []), look_of(report))
    return {**row.state, "report": dict(report), "looks": looks}


def _action(state: Mapping[str, Any]) -> str:
    report = state.get("report")
    return "" if report is None else str(report["decision"]["action"])


def _ended(tx: Transaction, number: int, status: ComparisonStatus, reason: str, state: Mapping[str, Any]) -> None:
    comparisons.end(tx, comparisons.get(tx.session, number), status, ACTOR, reason, state=state)
