"""What can be asked, whatever the door: the scores of a request, and what is served. Doors read and write the bytes."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, NamedTuple

from pipeline.serving import oip
from pipeline.serving.columns import Columns
from pipeline.serving.counted import NOBODY_WAITED, Counted
from pipeline.serving.journal import Exchange, Journal, inputs_of_tensors
from pipeline.serving.lookups import Lookups
from pipeline.serving.metrics import Door, Metrics
from pipeline.serving.outputs import Scores
from pipeline.serving.refusal import Refusal
from pipeline.serving.shadowing import Copy, Encode, Shadowing
from pipeline.serving.shelf import Picked, Seat, Shelf
from pipeline.serving.tally import Event, Tally
from store.release import RELEASE

_EXTENSIONS: Final = ("binary_tensor_data", "model_repository", "statistics")


class Scored(NamedTuple):
    """A request that was answered, before its answer is written."""

    picked: Picked
    wanted: Sequence[oip.Wanted]
    scores: Scores


@dataclass(frozen=True)
class Limits:
    most_rows: int
    timeout_s: float
    """Of a request that names none, and at most."""


class Desk:
    """One worker's; belongs to the thread of its event loop."""

    def __init__(
        self,
        shelf: Shelf,
        limits: Limits,
        metrics: Metrics,
        journal: Journal,
        tally: Tally,
        shadowing: Shadowing,
        lookups: Lookups,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.shelf = shelf
        self.limits = limits
        self.lookups = lookups
        self._metrics = metrics
        self._journal = journal
        self._tally = tally
        self._shadowing = shadowing
        self._clock = clock
        self.asked: dict[str, float] = {}
        """Model → when a request that could be read came last, on the clock."""
        self.draining = False
        """Then nothing new is promised: health says so."""

    # ------------------------------------------------------------------------------------------- requests

    def counted(self, model: str, door: Door, began: float | None = None) -> Counted:
        """A request from its first byte, at `began` on the clock, to its answer."""
        return Counted(self._count, model, door, self._clock() if began is None else began)

    def _count(self, counted: Counted) -> None:
        """Names that nobody serves are not counted by name: they are whatever somebody sends."""
        model, picked, status, seconds = counted.model, counted.picked, counted.status, self._clock() - counted.began
        if picked is None:
            known = model if model in self.shelf.snapshot.routes else ""
            self._metrics.answered(known, "", counted.door, status, seconds)
            return
        limit, ours = picked.route.slow_s, status in (200, NOBODY_WAITED) or status >= 500
        # What was asleep when it was asked had to be loaded: that says nothing of the version.
        slow = ours and limit is not None and seconds > limit and not picked.seat.asleep
        self._metrics.answered(model, picked.seat.label, counted.door, status, seconds, slow=slow)
        if picked.exposed and (slow or status != NOBODY_WAITED):
            self._compare(picked, counted, slow)
        if counted.exchange is None:
            return
        latency_us, scores = round(seconds * 1e6), counted.scores if status == 200 else None
        self._journal.offer(
            counted.exchange, scores, at_us=self._journal.now_us() - latency_us, latency_us=latency_us, status=status
        )
        if picked.shadow is not None and counted.encode is not None and status == 200:
            self._shadowing.take(Copy(picked.shadow, counted.exchange, counted.encode))

    def _compare(self, picked: Picked, counted: Counted, slow: bool) -> None:
        """An answer to a unit of a comparison; a client that gave up on a slow one counts as slow."""
        events: list[Event] = ["errors"] if counted.status >= 500 else []
        events += ["refusals"] if counted.status not in (200, NOBODY_WAITED) and not events else []
        events += ["slow answers"] if slow else []
        comparison = picked.route.comparison
        if comparison is not None and counted.unit:
            self._tally.saw(comparison, picked.route.stage, picked.seat.version, counted.unit, events)

    def pick(self, counted: Counted, model: str, request: str, unit: str | None, version: str | None) -> Picked:
        """Who answers; a request without an id is given one, by which the shadow's copies are drawn. Raises Refusal."""
        if not request:
            request = self._journal.name()
            counted.named = request.encode() if self._journal.writes else None
        counted.request, counted.unit, counted.picked_at = request, unit, self._clock()
        counted.picked = picked = self.shelf.pick(model, unit=unit, request=request, version=version)
        return picked

    def note(self, counted: Counted, *, inputs: Callable[[Columns], Any], encode: Encode) -> None:
        """What the log and the shadow are to hear of a request, before its model is run."""
        picked = counted.picked
        if picked is not None:
            self.asked[picked.seat.model] = self._clock()
        if picked is None or (picked.shadow is None and not self._journal.writes):
            return
        counted.exchange = Exchange(picked, counted.request, counted.unit, partial(inputs, picked.seat.columns))
        counted.encode = encode

    async def scored(
        self,
        document: oip.Document,
        model: str,
        version: str | None,
        counted: Counted,
        remaining_s: float | None = None,
    ) -> Scored:
        """The scores for a document. `remaining_s`: of the client's own deadline. Raises Refusal."""
        picked = self.pick(counted, model, document.id, document.unit, version)
        seat = picked.seat
        if document.lookup:
            oip.check_rows(max(len(values) for _, values in document.tensors.values()), self.limits.most_rows)
            tensors = await self.lookups.tensors(model, seat.columns, document.tensors, null=document.null)
            document = document._replace(tensors=tensors)
        numeric, categorical, wanted = oip.encoded(document, seat.columns, self.limits.most_rows)
        timeout = self.left(counted, document.timeout_s, remaining_s)
        self.note(
            counted,
            inputs=lambda columns: inputs_of_tensors(columns, document.tensors),
            encode=lambda columns: columns.of_tensors(document.tensors),
        )
        counted.scores = await seat.batcher.scores(numeric, categorical, timeout)
        return Scored(picked, wanted, counted.scores)

    def let_go(self, model: str) -> None:
        """Of what is held of its versions here."""
        self._shadowing.forget(model)

    def left(self, counted: Counted, *asked: float | None) -> float:
        """Seconds of the shortest time that is named, and of what is allowed, less what looking features up has taken.

        Below 0 its time is over: nothing is run for it.
        """
        shortest = self.limits.timeout_s
        for one in asked:
            if one is not None and one < shortest:
                shortest = one
        return shortest - (self._clock() - counted.picked_at)

    # ---------------------------------------------------------------------------------------- what is served

    def ready(self, model: str | None = None, version: str | None = None) -> bool:
        """Whether all that is served can answer, or all of one model, and this version of it."""
        if self.draining or not self.shelf.ready(model):
            return False
        return model is None or version is None or any(seat.label == version for seat in self.shelf.seats_of(model))

    def model_metadata(self, model: str, version: str | None) -> dict[str, Any]:
        """Raises Refusal."""
        seat = self.shelf.pick(model, version=version).seat
        versions = [arm.version for arm in self.shelf.snapshot.routes[model].resident]
        return oip.metadata(model, versions, seat.columns)

    def statistics(self, model: str | None, version: str | None) -> dict[str, Any]:
        """Of all models, of one, or of one version. Raises Refusal."""
        if model is None:
            seats = list(self.shelf.seats.values())
        elif version is None:
            self.shelf.pick(model)
            seats = self.shelf.seats_of(model)
        else:
            seats = [self.shelf.pick(model, version=version).seat]
        return {"model_stats": [self._stats(seat) for seat in seats]}

    def _stats(self, seat: Seat) -> dict[str, Any]:
        """As Triton has it, as far as it is counted; of this worker. Times in nanoseconds."""
        phases = {name: self._metrics.phases.get((seat.model, seat.label, name)) for name in ("queue", "run", "total")}
        nanoseconds = {name: int(found.sum * 1e9) if found else 0 for name, found in phases.items()}
        runs, asked = (sum(found.counts) if (found := phases[name]) else 0 for name in ("run", "total"))
        ok = sum(
            count
            for (model, version, _, status), count in self._metrics.requests.items()
            if (model, version) == (seat.model, seat.label) and status == 200
        )
        ok_ns = int(self._metrics.succeeded_s.get((seat.model, seat.label), 0.0) * 1e9)
        return {
            "name": seat.model,
            "version": seat.label,
            "inference_count": self._metrics.rows.get((seat.model, seat.label), 0),
            "execution_count": runs,
            "inference_stats": {
                "success": {"count": ok, "ns": ok_ns},
                "fail": {"count": asked - ok, "ns": max(0, nanoseconds["total"] - ok_ns)},
                "queue": {"count": runs, "ns": nanoseconds["queue"]},
                "compute_infer": {"count": runs, "ns": nanoseconds["run"]},
            },
        }

    def server_metadata(self) -> dict[str, Any]:
        return {"name": "trainshed", "version": RELEASE, "extensions": _EXTENSIONS}

    def index(self) -> list[dict[str, str]]:
        return [
            {
                "name": model,
                "version": str(arm.version),
                "state": "READY" if (model, arm.version) in self.shelf.seats else "UNAVAILABLE",
                "reason": self._reason(model, arm.version),
            }
            for model, route in self.shelf.snapshot.routes.items()
            for arm in route.resident
        ]

    def _reason(self, model: str, version: int) -> str:
        seat = self.shelf.seats.get((model, version))
        if seat is not None and seat.asleep:
            return "asleep: the next request loads it"
        return self.shelf.missing.get((model, version), "")

    def load(self, model: str, verb: str) -> dict[str, Any]:
        """What is loaded follows from what is promoted, so clients may ask and not change it. Raises Refusal."""
        if verb == "load" and self.shelf.ready(model):
            return {}
        self.shelf.pick(model)
        raise Refusal(
            409, f"versions are not {verb}ed by clients: `trainshed promote {model} VERSION` and `trainshed rollback`"
        )
