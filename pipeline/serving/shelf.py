"""What a worker has loaded, and the snapshot that says who answers. A switch is one assignment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from pipeline.serving.arms import choose, split_of
from pipeline.serving.batcher import Batcher
from pipeline.serving.columns import Columns
from pipeline.serving.dozing import Dozing
from pipeline.serving.executables import Programs
from pipeline.serving.loaded import LoadedVersion
from pipeline.serving.refusal import Refusal, busy, unknown
from pipeline.traffic.route import Why
from pipeline.traffic.split import Split
from pipeline.versions.signature import Signature
from store.routing import Route, Snapshot


@dataclass(frozen=True)
class Seat:
    """A version that can answer: at once, or, if it is asleep, when it has been loaded again."""

    model: str
    version: int
    digest: str
    loaded: LoadedVersion | None
    """None: it is asleep."""
    columns: Columns
    batcher: Batcher | Dozing
    label: str
    """The version as metrics and answers have it."""

    @property
    def asleep(self) -> bool:
        return self.loaded is None

    @property
    def signature(self) -> Signature:
        return self.columns.signature


class Picked(NamedTuple):
    """What a request was given."""

    seat: Seat
    epoch: bytes
    """Of the snapshot that chose, as answers say it."""
    why: Why
    route: Route
    shadow: Seat | None = None
    """Who gets a copy."""

    @property
    def exposed(self) -> bool:
        """Whether the answer is one of a comparison's."""
        return self.why == "assigned" and self.route.comparison is not None


@dataclass(frozen=True)
class _Now:
    """What one request sees; replaced as a whole."""

    snapshot: Snapshot
    seats: Mapping[tuple[str, int], Seat]
    """Those of the snapshot that are loaded."""
    splits: Mapping[str, Split]
    """By model."""
    epoch: bytes = b"0"
    """As answers say it."""


@dataclass
class Shelf:
    """Belongs to the thread of the event loop."""

    make_batcher: Callable[[str, int, LoadedVersion], Batcher]
    _now: _Now = field(default_factory=lambda: _Now(Snapshot(epoch=0), {}, {}))
    _waiting: dict[tuple[str, int], Seat] = field(default_factory=dict)
    """Loaded, and not in the snapshot yet."""
    missing: dict[tuple[str, int], str] = field(default_factory=dict)
    """What the snapshot has and could not be loaded, with the reason."""

    @property
    def snapshot(self) -> Snapshot:
        return self._now.snapshot

    @property
    def seats(self) -> Mapping[tuple[str, int], Seat]:
        return self._now.seats

    def has(self, model: str, version: int, digest: str) -> bool:
        seat = self._found(model, version)
        return seat is not None and seat.digest == digest

    def programs(self) -> dict[str, Programs]:
        """Those that are loaded, by key."""
        seats = [*self._now.seats.values(), *self._waiting.values()]
        return {seat.loaded.programs_key: seat.loaded.programs for seat in seats if seat.loaded is not None}

    def put(self, model: str, version: int, loaded: LoadedVersion) -> None:
        """Ready for the snapshot that names it; until then it answers nobody."""
        self._waiting[model, version] = self._seat(model, version, loaded)
        self.missing.pop((model, version), None)

    def switch(self, snapshot: Snapshot) -> None:
        """From here on this snapshot is in force; an older one than the present is ignored.

        What it does not name any more is let go of, when the requests that use it have their answers.
        """
        if snapshot.epoch < self._now.snapshot.epoch:
            return
        wanted = snapshot.resident()
        seats = {}
        for (model, version), digest in wanted.items():
            seat = self._found(model, version)
            if seat is not None and seat.digest == digest:
                seats[model, version] = seat
        self._waiting = {key: seat for key, seat in self._waiting.items() if key not in wanted}
        self.missing = {key: why for key, why in self.missing.items() if key in wanted}
        splits = {model: split_of(route) for model, route in snapshot.routes.items()}
        self._now = _Now(snapshot, seats, splits, b"%d" % snapshot.epoch)

    def forget_unused(self) -> None:
        """Lets go of what was loaded for a promotion that did not come."""
        self._waiting.clear()

    def seats_of(self, model: str) -> list[Seat]:
        """Control first."""
        return [seat for seat in self._now.seats.values() if seat.model == model]

    def asleep(self, model: str) -> list[Seat]:
        """Those of a model that are asleep, control first."""
        return [seat for seat in self.seats_of(model) if seat.asleep]

    def sleep(self, model: str, stand_in: Callable[[str, int], Dozing]) -> None:
        """Lets go of all that a model has loaded; its route stays.

        `stand_in`: (model, version) → who takes its requests.
        """
        seats = {
            key: replace(seat, loaded=None, batcher=stand_in(*key)) if seat.model == model and not seat.asleep else seat
            for key, seat in self._now.seats.items()
        }
        self._now = replace(self._now, seats=seats)

    def wake(self, asleep: Seat, loaded: LoadedVersion) -> Seat:
        """It answers again."""
        seat = self._seat(asleep.model, asleep.version, loaded)
        self._now = replace(self._now, seats={**self._now.seats, (seat.model, seat.version): seat})
        return seat

    def lose(self, asleep: Seat, why: str) -> None:
        """It cannot be loaded again."""
        lost = asleep.model, asleep.version
        self._now = replace(self._now, seats={key: seat for key, seat in self._now.seats.items() if key != lost})
        self.missing[lost] = why

    def pick(self, model: str, *, unit: str | None = None, request: str = "", version: str | None = None) -> Picked:
        """Who answers. `request`: its id; `version`: the one that it insists on. Raises Refusal."""
        now = self._now
        split = now.splits.get(model)
        if split is None:
            raise self._absent(now, model, version)
        pin = None if version is None else _number(version)
        chosen = choose(split, unit=unit, request=request, pin=pin)
        seat, why = now.seats.get((model, chosen.version)), chosen.why
        if seat is None and pin is None:  # a worker that could not load a treatment: better control than nobody
            seat, why = now.seats.get((model, split.control)), "not loaded"
        if seat is None:
            raise self._absent(now, model, version)
        copied = None if chosen.shadow is None else now.seats.get((model, chosen.shadow))
        return Picked(seat, now.epoch, why, now.snapshot.routes[model], copied)

    def full(self, model: str) -> bool:
        """Whether the control of a model has no room for more; then who asks it now is to be refused."""
        split = self._now.splits.get(model)
        seat = None if split is None else self._now.seats.get((model, split.control))
        return seat is not None and seat.batcher.turns_away()

    def ready(self, model: str | None = None) -> bool:
        """Whether all who are to answer can; or those of one model."""
        wanted = [key for key in self._now.snapshot.answering() if model is None or key[0] == model]
        known = model is None or model in self._now.snapshot.routes
        return known and all(key in self._now.seats for key in wanted)

    def has_all(self) -> bool:
        """Whether all that the snapshot has is loaded, or asleep: shadows and the versions before too."""
        return all(key in self._now.seats for key in self._now.snapshot.resident())

    def lacks(self, model: str, version: int, why: str) -> None:
        """A better reason why it could not be loaded, from who has tried to mend that."""
        if (model, version) in self.missing:
            self.missing[model, version] = why

    def _seat(self, model: str, version: int, loaded: LoadedVersion) -> Seat:
        batcher = self.make_batcher(model, version, loaded)
        return Seat(model, version, loaded.digest, loaded, Columns(loaded.signature), batcher, str(version))

    def _found(self, model: str, version: int) -> Seat | None:
        return self._waiting.get((model, version)) or self._now.seats.get((model, version))

    def _absent(self, now: _Now, model: str, version: str | None) -> Refusal:
        route = now.snapshot.routes.get(model)
        if route is None:
            return unknown(
                f"there is no model {model[:100]!r} here; there are: {', '.join(now.snapshot.routes) or 'none'}"
            )
        if version is not None and version not in {str(arm.version) for arm in route.resident}:
            served = ", ".join(str(arm.version) for arm in route.resident)
            return unknown(f"version {version[:20]} of {model} is not served; these are: {served}")
        wanted = version or str(route.arms[0].version)
        return busy(
            f"version {wanted} of {model} is not loaded: {self.missing.get((model, int(wanted)), 'wait for it')}"
        )


def _number(version: str) -> int:
    """-1, which no version has, for what is not a number of one."""
    return int(version) if version.isascii() and version.isdigit() and len(version) < 10 else -1
