"""What becomes of a version that a rule has trained: it has to beat production where neither has learned from.

One thread looks every minute at the newest version of each model whose monitor retrains. Once its gates have passed and
there is a labelled window after what it learned from, a program compares it there with the live version
(`pipeline.judging.unseen`), once, and a gate says whether it is better. Then it becomes candidate, or a canary begins;
never production. What was decided is an event, `monitor.judged`, and is decided only once.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlmodel import Session, col, select

from daemon.program import ask_program
from daemon.reports import source_of
from daemon.roundsman import Roundsman
from daemon.traffic import Asked, change
from pipeline.config import Project
from pipeline.config.monitors import MonitorSection
from pipeline.config.watched import monitors_of
from pipeline.judging.plan import planned
from pipeline.serving.starting import computing_environment
from store import events, queue, registry, versions
from store.engine import Record, Transaction
from store.errors import Refused, ServingError
from store.oldwindows import REPORT
from store.results import params_of
from store.tables import Event, ModelVersion, WatchWindow
from store.wire import PromoteRequest, TrafficChange
from store.words import CANDIDATE, PRODUCTION

if TYPE_CHECKING:
    from pipeline.judging.gates import GateResult

EVERY_S: Final = 60.0
LONGEST_S: Final = 300.0
KIND: Final = "monitor.judged"
_WINDOWS: Final = 10
"""The newest with labels enough; older ones say nothing about now."""
log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """A version that waits to be compared."""

    monitor: str
    section: MonitorSection
    row: ModelVersion
    live: ModelVersion
    report: int | None
    windows: tuple[tuple[int, int, int], ...]
    """Newest first: start, end (µs), labelled rows."""
    trained_at: int


class Retrained(Roundsman):
    """A comparison that is under way when it stops changes nothing any more."""

    def __init__(
        self,
        record: Record,
        project: Callable[[], Project],
        put_into_traffic: Callable[[str, Callable[[Transaction], object]], object],
    ) -> None:
        """`put_into_traffic`: `Endpoints.change`."""
        trouble = "a retrained version waits"
        super().__init__("retrained", trouble=trouble, action="retrained_trouble", first_s=EVERY_S, again_s=EVERY_S)
        self._record = record
        self._project = project
        self._put = put_into_traffic
        self._asked: dict[tuple[str, int], tuple[object, ...]] = {}
        """Version → the windows that it was last compared on, in vain."""

    def _round(self) -> float:
        self.look()
        return EVERY_S

    def look(self) -> None:
        """Compares what can be compared, and does what follows."""
        with self._record.read() as session:
            waiting = list(waiting_versions(session, self._project()))
        for one in waiting:
            key = (one.row.model, one.row.number)
            if one.windows and self._asked.get(key) != one.windows:
                said = self._compare(one)
                if "comparison" in said:
                    self._settle(one, said)
                else:
                    self._asked[key] = one.windows
                    why = said.get("why_not") or said.get("fault", "")
                    log.info("%s %d waits: %s", *key, why, extra={"action": "retrained_waits"})

    def _compare(self, one: Waiting) -> dict[str, Any]:
        question = {
            "candidate": one.row.digest,
            "training_set": one.row.training_set,
            "trained_at": one.trained_at,
            "live": one.live.digest,
            "live_version": one.live.number,
            "windows": [(start, end) for start, end, _ in one.windows],
            "least_rows": one.section.least_rows,
        }
        arguments = [str(self._record.home.root), one.row.model, json.dumps(question)]
        said: dict[str, Any] = ask_program(
            "pipeline.judging.unseen", arguments, LONGEST_S, computing_environment(os.environ)
        )
        return said

    def _settle(self, one: Waiting, said: dict[str, Any]) -> None:
        # Here: they load scipy, 60 MB that a daemon without retrained versions does not need.
        from pipeline.judging.evidence import Comparison
        from pipeline.judging.gates import beats_on_unseen

        gate = beats_on_unseen(said["objective"], Comparison.model_validate(said["comparison"]))
        then = one.section.retrain.then if one.section.retrain is not None else "candidate"
        if gate.outcome == "pass" and then == "canary":
            try:
                self._put(one.row.model, lambda tx: self._begin_canary(tx, one, said, gate))
            except (Refused, ServingError) as error:
                self._decide(one, said, gate, f", since no canary can begin: {error.what}")
            return
        self._decide(one, said, gate, "")

    def _begin_canary(self, tx: Transaction, one: Waiting, said: dict[str, Any], gate: GateResult) -> None:
        tell(tx, one, said, gate, "its canary begins")
        asked = TrafficChange(do="canary", version=one.row.number, reason=reason_of(one, gate))
        actor = source_of(one.monitor)
        change(Asked(model=one.row.model, change=asked, actor=actor, section=self._project().serving))(tx)

    def _decide(self, one: Waiting, said: dict[str, Any], gate: GateResult, why: str) -> None:
        with self._record.transaction() as tx:
            if judged(tx.session, one.row):  # by another thread at this moment
                return
            if gate.outcome != "pass":
                tell(tx, one, said, gate, "it is not put forward")
                return
            tell(tx, one, said, gate, f"it becomes candidate{why}")
            candidate = versions.live(tx.session, one.row.model, CANDIDATE)
            if candidate is None or candidate.number != one.row.number:
                request = PromoteRequest(version=one.row.number, alias=CANDIDATE, reason=reason_of(one, gate) + why)
                plan = planned(tx.session, one.row.model, one.row.number, CANDIDATE)
                registry.promote(tx, one.row.model, request, source_of(one.monitor), plan)


def waiting_versions(session: Session, project: Project) -> Iterator[Waiting]:
    """Of each monitor that retrains: its model's newest version, if the monitor's rule trained it, its gates passed, it
    is newer than the live one, and nothing was decided about it yet."""
    for name, section in monitors_of(project).items():
        if section.retrain is None or section.model is None:
            continue
        newest = next(iter(versions.rows(session, section.model, 1, None)), None)
        live = versions.live(session, section.model, PRODUCTION)
        if newest is None or live is None or newest.number <= live.number:
            continue
        run = queue.get_run(session, newest.run)
        if run.trigger != "rule" or run.actor != source_of(name):
            continue
        if newest.verdict is None or not newest.verdict["passed"] or judged(session, newest):
            continue
        yield Waiting(
            monitor=name,
            section=section,
            row=newest,
            live=live,
            report=params_of(session, newest.run).get(REPORT),
            windows=_windows(session, name, live.number, section.least_rows),
            trained_at=run.started_at or run.created_at,
        )


def judged(session: Session, row: ModelVersion) -> bool:
    """Whether something was decided about a retrained version."""
    query = select(Event.id).where(Event.subject == f"{row.model} {row.number}", Event.kind == KIND)
    return session.exec(query.limit(1)).first() is not None


def tell(tx: Transaction, one: Waiting, said: dict[str, Any], gate: GateResult, what: str) -> None:
    model, number = one.row.model, one.row.number
    events.append(
        tx,
        actor=source_of(one.monitor),
        kind=KIND,
        subject=f"{model} {number}",
        message=f"version {number} of {model}, trained by report {one.report}: {what}: {gate.reason}",
        data={
            "report": one.report,
            "run": one.row.run,
            "gate": gate.model_dump(mode="json"),
            "since_us": said["since"],
            "until_us": said["until"],
            "rows": said["rows"],
            "comparison": said["comparison"],
        },
    )


def reason_of(one: Waiting, gate: GateResult) -> str:
    return f"trained by report {one.report} of monitor {one.monitor}: {gate.reason}"


def _windows(session: Session, monitor: str, version: int, least: int) -> tuple[tuple[int, int, int], ...]:
    query = (
        select(WatchWindow.start_us, WatchWindow.end_us, WatchWindow.labelled)
        .where(WatchWindow.monitor == monitor, WatchWindow.version == version, col(WatchWindow.labelled) >= least)
        .order_by(col(WatchWindow.end_us).desc())
        .limit(_WINDOWS)
    )
    return tuple((start, end, labelled) for start, end, labelled in session.exec(query))
