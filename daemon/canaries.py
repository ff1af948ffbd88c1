"""Canaries go up, wait, and come back by themselves: one thread that looks every second while one runs.

What workers have counted is read from their files, `pipeline.experiments.canary.step` says what to do, and what is done
is a change of the record. So a daemon that was killed goes on where the record is, and tells nothing twice.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from daemon.endpoints import Endpoints
from daemon.roundsman import Roundsman
from daemon.trafficview import comparison_view
from pipeline.experiments.documents import plan_of, state_document, state_of
from pipeline.judging.plan import planned
from pipeline.serving import tally
from pipeline.traffic.documents import document_of, split_of
from pipeline.traffic.split import ramped
from store import comparisons, registry
from store.engine import Record, Transaction
from store.errors import Conflict, GateRefused, ServingError, TrainshedError
from store.tables import Comparison
from store.times import Clock
from store.wire import AliasEventView, ComparisonView, PromoteRequest
from store.words import PRODUCTION

if TYPE_CHECKING:
    from pipeline.experiments.canary import Step

LOOK_S: Final = 1.0
ACTOR: Final = "daemon"
log = logging.getLogger(__name__)


class Canaries(Roundsman):
    """Woken when a comparison may have begun or ended."""

    def __init__(self, record: Record, endpoints: Endpoints, clock: Clock) -> None:
        super().__init__("canaries", trouble="canaries are not looked at", action="canary_trouble", again_s=LOOK_S)
        self._record = record
        self._endpoints = endpoints
        self._clock = clock
        self._tallies = record.home.serving.tallies
        self._steps: dict[int, Step] = {}
        """Comparison → what the last look at it said."""

    def view(self, row: Comparison) -> ComparisonView:
        """With what the last look said, if it runs."""
        last = self._steps.get(row.id or 0)
        if row.status != "running" or row.kind != "canary" or last is None:
            return comparison_view(row)
        return comparison_view(row, _waits(row, last), last.findings)

    def _round(self) -> float | None:
        """Looks at all canaries; as long as there are any, it does so again soon."""
        with self._record.read() as session:
            rows = comparisons.all_running(session)
        tally.forget(self._tallies, {row.id or 0 for row in rows})
        canaries = [row for row in rows if row.kind == "canary"]
        self._steps = {number: one for number, one in self._steps.items() if number in {row.id for row in canaries}}
        for row in canaries:
            try:
                self._act(row, self._judge(row))
            except Conflict as overtaken:  # somebody ended it, or moved production, at this moment
                log.info("%s", overtaken.what)
            except TrainshedError as error:
                log.warning("%s: %s", comparisons.named(row), error.what, extra={"action": "canary_trouble"})
        return LOOK_S if canaries else None

    def _judge(self, row: Comparison) -> Step:
        from pipeline.experiments.canary import step  # scipy: 60 MB that a daemon without canaries does not need
        from pipeline.experiments.counting import tallied

        found = tally.read(self._tallies, row.id or 0, row.stage)
        plan, canary = plan_of(row.plan), comparisons.treatments(row)[0]
        seen = tallied(found, plan.tolerated, canary=canary, control=row.control)
        made = step(plan, state_of(row.stage, row.state), seen, self._clock())
        self._steps[row.id or 0] = made
        return made

    # ------------------------------------------------------------------------------------------------------ moves

    def _act(self, row: Comparison, made: Step) -> None:
        if made.move == "roll back":
            log.warning("%s is taken back: %s", comparisons.named(row), made.reason, extra={"action": "canary_back"})
            self._endpoints.change(row.model, _same(row, lambda tx, now: _rolled_back(tx, now, made)))
        elif made.move == "advance":
            self._endpoints.change(row.model, _same(row, lambda tx, now: _advanced(tx, now, made)))
        elif made.move == "finish" and not row.state.get("finished"):
            with self._record.transaction() as tx:
                _same(row, lambda tx, now: _passed(tx, now, made))(tx)
        elif made.move == "finish" and row.plan["then"] == "promote" and "refused" not in row.state:
            self._promote(row, made)

    def _promote(self, row: Comparison, made: Step) -> None:
        """By its plan, and only if it may be promoted without anybody's word; else it waits for an operator."""
        version = comparisons.treatments(row)[0]

        def move(tx: Transaction) -> AliasEventView:
            current = planned(tx.session, row.model, version, PRODUCTION)
            request = PromoteRequest(version=version, reason=f"its canary has passed: {made.reason}")
            return registry.promote(tx, row.model, request, ACTOR, current)

        try:
            self._endpoints.move(row.model, PRODUCTION, move)
        except (GateRefused, ServingError) as error:
            why = error.what
            with self._record.transaction() as tx:
                _same(row, lambda tx, now: _left(tx, now, why))(tx)


def _same(row: Comparison, act: Callable[[Transaction, Comparison], object]) -> Callable[[Transaction], None]:
    """The act on the comparison as it was looked at. Raises Conflict if it is in another stage by now, or over."""

    def bound(tx: Transaction) -> None:
        now = comparisons.get(tx.session, row.id or 0)
        if (now.status, now.stage) != (row.status, row.stage):
            raise Conflict(
                f"{comparisons.named(row)} has changed meanwhile", where=row.model, remedy="`trainshed endpoints`"
            )
        act(tx, now)

    return bound


def _rolled_back(tx: Transaction, row: Comparison, made: Step) -> None:
    comparisons.end(tx, row, "rolled back", ACTOR, made.reason)


def _advanced(tx: Transaction, row: Comparison, made: Step) -> None:
    share, version = plan_of(row.plan).stages[made.state.stage].share, comparisons.treatments(row)[0]
    comparisons.change(
        tx,
        row,
        split=document_of(ramped(split_of(row.control, row.split), version, share)),
        state={**state_document(made.state)},
        actor=ACTOR,
        verb="advanced",
        sentence=f"version {version} has {share:.4g} of the units",
        reason=made.reason,
    )


def _passed(tx: Transaction, row: Comparison, made: Step) -> None:
    comparisons.keep(
        tx, row, {**row.state, "finished": True}, verb="passed", sentence=f"has passed its last stage: {made.reason}"
    )


def _left(tx: Transaction, row: Comparison, why: str) -> None:
    state = {**row.state, "refused": why}
    comparisons.keep(tx, row, state, verb="waiting", sentence=f"is not promoted by itself: {why}")


def _waits(row: Comparison, last: Step) -> str:
    if not row.state.get("finished"):
        return last.reason
    refused = f"; it is not promoted by itself: {row.state['refused']}" if "refused" in row.state else ""
    return f"all stages are passed: `trainshed promote {row.model} {comparisons.treatments(row)[0]}`{refused}"
