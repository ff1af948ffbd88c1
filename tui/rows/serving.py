"""What answers requests, as rows, lines and curves. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from tui.rows.past import instant
from tui.rows.words import count, percent
from tui.table.column import Cell, Column
from tui.text import Line, line

if TYPE_CHECKING:
    from store.wire import (
        EndpointsView,
        EndpointView,
        EventView,
        ServingHistoryView,
        ServingPoint,
        ServingSeries,
        ServingWorkerView,
    )

WINDOWS: Final = (10, 60, 360, 2_880)
"""Minutes that charts go back."""
POINTS: Final = 160
EVERY_SECONDS: Final = 2.0
EVERY_SECONDS_LITE: Final = 10.0
_STATES: Final[dict[str, Cell]] = {
    "accepting": Cell("✔ answers", "good"),
    "ready": Cell("○ spare, warm", "dim"),
    "loading": Cell("… loading", "live"),
    "draining": Cell("… ends", "warn"),
}


@dataclass(frozen=True)
class Endpoint:
    """A served model with what it answered. `view` is None at a time in the past: then only the numbers are known."""

    model: str
    view: EndpointView | None
    series: Sequence[ServingSeries]

    @property
    def versions(self) -> list[ServingSeries]:
        """Of those that answer, or answered something in the time that is looked at."""
        answering = {arm.version for arm in self.view.arms} if self.view is not None else set()
        told = [one for one in self.series if one.version is not None]
        return [one for one in told if one.version in answering or any(point.requests for point in one.points)]

    @property
    def leading(self) -> ServingSeries | None:
        """Of the version that answers most: control, or what answered the most requests of late."""
        wanted = self.view.version if self.view is not None else None
        known = next((one for one in self.series if one.version == wanted and wanted is not None), None)
        return known or max(self.versions, key=lambda one: one.lately.requests if one.lately else 0, default=None)

    @property
    def lately(self) -> ServingPoint | None:
        leading = self.leading
        return leading.lately if leading is not None else None

    @property
    def rps(self) -> float | None:
        """Of all versions, in the last minute."""
        rates = [one.lately.rps for one in self.versions if one.lately is not None]
        return sum(rates) if rates else None

    @property
    def failing(self) -> float | None:
        """The share of the last minute's requests that were answered with a status above 499."""
        points = [one.lately for one in self.series if one.lately is not None]
        requests = sum(point.requests for point in points)
        return sum(point.errors for point in points) / requests if requests else None


def endpoints_of(view: EndpointsView | None, history: ServingHistoryView) -> list[Endpoint]:
    """What is served now; without a view, what was counted then."""
    of: dict[str, list[ServingSeries]] = {}
    for one in history.series:
        if one.model is not None:
            of.setdefault(one.model, []).append(one)
    if view is None:
        return [Endpoint(model, None, series) for model, series in of.items()]
    return [Endpoint(one.model, one, of.get(one.model, [])) for one in view.endpoints]


# ---- rows ------------------------------------------------------------------------------------------------------------


def columns() -> list[Column[Endpoint]]:
    return [
        Column(key="model", title="endpoints", width=12, draw=lambda e, _: Cell(e.model, "strong")),
        Column(key="version", title="live", width=6, draw=lambda e, _: live(e), order=_version),
        _number("rps", "req/s", 7, lambda e: e.rps),
        _number("p50", "p50 ms", 6, lambda e: e.lately.p50_ms if e.lately else None),
        _number("p95", "p95 ms", 6, lambda e: e.lately.p95_ms if e.lately else None),
        _number("p99", "p99 ms", 6, lambda e: e.lately.p99_ms if e.lately else None),
        Column(
            key="errors",
            title="errors",
            width=6,
            right=True,
            draw=lambda e, _: errors(e.failing),
            value=lambda e: e.failing,
        ),
        Column(key="state", title="", width=9, grows=True, sorts=False, draw=lambda e, _: state(e)),
        Column(
            key="waiting",
            title="waiting",
            width=7,
            right=True,
            extra=True,
            draw=lambda e, _: Cell("-" if e.lately is None else count(e.lately.waiting)),
            order=lambda e: None if e.lately is None else e.lately.waiting,
        ),
        _number("batch", "rows a run", 10, lambda e: e.lately.batch_rows if e.lately else None, extra=True),
        Column(
            key="requests",
            title="requests",
            width=10,
            right=True,
            extra=True,
            draw=lambda e, _: Cell("-" if e.view is None else count(e.view.requests)),
            order=lambda e: None if e.view is None else e.view.requests,
        ),
        Column(
            key="dropped",
            title="log drops",
            width=9,
            right=True,
            extra=True,
            draw=lambda e, _: dropped(e),
            order=lambda e: None if e.view is None else e.view.dropped,
        ),
    ]


def _version(endpoint: Endpoint) -> int | None:
    if endpoint.view is not None:
        return endpoint.view.version
    return None if endpoint.leading is None else endpoint.leading.version


def _number(
    key: str, title: str, width: int, value: Callable[[Endpoint], float | None], *, extra: bool = False
) -> Column[Endpoint]:
    return Column(
        key=key,
        title=title,
        width=width,
        right=True,
        extra=extra,
        draw=lambda e, _: Cell(short(value(e))),
        value=value,
    )


def short(number: float | None) -> str:
    """Three digits: 0.81, 12.4, 1,240."""
    if number is None:
        return "-"
    if number >= 100:
        return count(round(number))
    return f"{number:.1f}" if number >= 10 else f"{number:.2f}"


def live(endpoint: Endpoint) -> Cell:
    view = endpoint.view
    if view is None:
        leading = endpoint.leading
        return Cell("-" if leading is None else f"v{leading.version}")
    more = "+" if len(view.arms) > 1 else ""
    return Cell(f"{'●' if view.ready else '✘'} v{view.version}{more}", "good" if view.ready else "bad")


def errors(share: float | None) -> Cell:
    return Cell(percent(share), "bad" if share else "")


def dropped(endpoint: Endpoint) -> Cell:
    if endpoint.view is None:
        return Cell("-")
    return Cell(count(endpoint.view.dropped), "warn" if endpoint.view.dropped else "")


def state(endpoint: Endpoint) -> Cell:
    """Ready, or why not; and what is compared."""
    view = endpoint.view
    if view is None:
        return Cell("counted", "dim")
    if not view.ready:
        return Cell(f"✘ {view.reason}", "bad")
    comparison = view.comparison
    if comparison is not None and comparison.status == "running":
        return Cell(f"⇄ {comparison.kind} of {', '.join(f'v{one.version}' for one in comparison.treatments)}", "live")
    if comparison is not None and comparison.status in ("rolled back", "invalid") and comparison.seen_by is None:
        return Cell(f"! {comparison.kind} {comparison.status}: {comparison.reason}", "warn")
    if view.shadow is not None and view.shadow.why_not:
        return Cell(f"! shadow v{view.shadow.version} does not run: {view.shadow.why_not}", "warn")
    return Cell("○ asleep", "dim") if view.asleep else Cell("✔ ready", "good")


def worker_columns() -> list[Column[ServingWorkerView]]:
    return [
        Column(
            key="number",
            title="processes",
            width=12,
            draw=lambda w, _: Cell(f"worker {w.number}", "strong"),
            order=lambda w: w.number,
        ),
        Column(key="state", title="state", width=14, draw=lambda w, _: _STATES.get(w.state, Cell(w.state))),
        Column(key="pid", title="pid", width=8, right=True, draw=lambda w, _: Cell(str(w.pid)), order=_pid),
        Column(
            key="epoch",
            title="epoch",
            width=6,
            right=True,
            draw=lambda w, _: Cell(str(w.epoch)),
            order=lambda w: w.epoch,
        ),
        Column(key="missing", title="", width=10, grows=True, draw=lambda w, _: Cell(_missing(w), "bad")),
    ]


def _pid(worker: ServingWorkerView) -> int:
    return worker.pid


def _missing(worker: ServingWorkerView) -> str:
    return "; ".join(f"{what}: {why}" for what, why in worker.missing.items())


# ---- lines -----------------------------------------------------------------------------------------------------------


def head(view: EndpointsView) -> list[Line]:
    """Where they are, and whatever is not as it should be, each with what to do."""
    who = f", as {view.asked_by} asked" if view.asked_by else ""
    lines = [_where(view, who)]
    if view.problem:
        lines += [line(("  ✘ ", "bad"), (view.problem, "bad")), _remedy(view.problem)]
    if view.phase:
        lines.append(line(("  … ", "live"), (view.phase, "live")))
    if view.compilations:
        said = f"  ! {count(view.compilations)} programs were compiled while serving: that should never be"
        lines.append(line((said, "warn")))
    for one in view.endpoints:
        lines += broken(one)
    return lines


def _where(view: EndpointsView, who: str) -> Line:
    if view.running:
        grpc = f", gRPC {view.grpc}" if view.grpc else ""
        return line(("  ● ", "good"), (f"{view.url}{grpc}", "strong"), (f"   epoch {view.epoch}{who}", "dim"))
    if not view.wanted:
        return line(("  ○ ", "dim"), "nothing answers requests", (who, "dim"), ": ", ("S", "key"), " starts endpoints")
    if view.problem:
        return line(("  ✘ ", "bad"), "endpoints should answer, and do not", (f"{who}; it is tried again", "dim"))
    return line(("  … ", "live"), "endpoints are being started, or their supervisor does not answer", (who, "dim"))


def _remedy(problem: str) -> Line:
    log = ".trainshed/serving/serving.log has the last words"
    if "cannot be served" in problem:
        return line(("    → ", "key"), f"B goes back to a version that can; {log}")
    return line(("    → ", "key"), f"{log}; S stops endpoints, and starts them again")


def broken(one: EndpointView) -> list[Line]:
    """Why a version does not answer, and what to do."""
    if one.ready:
        return []
    said = line(("  ✘ ", "bad"), (f"{one.model} v{one.version} does not answer: {one.reason}", "bad"))
    if one.previous is None:
        return [said, line(("    → ", "key"), "P on Models (3) promotes another version")]
    return [said, line(("    → ", "key"), f"B goes back to v{one.previous}, which was warm")]


def endpoint_head(model: str, endpoint: Endpoint | None, view: EndpointsView | None, minutes: int) -> list[Line]:
    """Two lines: what answers, and how it goes; what is wrong goes before how it goes."""
    if endpoint is None:
        off = view is not None and not view.wanted
        why = "endpoints are off: S starts them" if off else "no version of it is served, or nothing was counted"
        return [line((model, "strong")), line((why, "warn"))]
    lately, faults = endpoint.lately, broken(endpoint.view) if endpoint.view is not None else []
    said = line(
        f"{short(endpoint.rps)} req/s, ",
        f"p95 {short(lately.p95_ms if lately else None)} ms, ",
        (f"{percent(endpoint.failing)} errors", "bad" if endpoint.failing else ""),
        f", {count(lately.waiting) if lately else '-'} rows wait",
        f", {short(lately.batch_rows if lately else None)} rows a run",
    )
    back = Cell(f"   the last {window(minutes)} (h)", "dim")
    return [line((model, "strong"), "  ", live(endpoint), "  ", state(endpoint), back), faults[0] if faults else said]


def filters(model: str, moment: datetime | None) -> list[str]:
    """Of the history: what may be about a model's versions, and what is about all endpoints; by a moment."""
    until = "" if moment is None else f" time<={instant(moment)}"
    return [f'subject~"{model} "{until}', f"subject=endpoints{until}"]


def of_endpoint(model: str, found: Iterable[EventView]) -> list[EventView]:
    """Newest first. A name that ends like the model's is another one's."""
    mine = [event for event in found if event.subject == "endpoints" or event.subject.rpartition(" ")[0] == model]
    return sorted(mine, key=lambda event: -event.id)


def head_then(found: Sequence[Endpoint]) -> list[Line]:
    """At a time in the past."""
    if found:
        return [line(("  these answered then", "dim"))]
    return [line(("  nothing is known to have answered then: counts are remembered for two days", "dim"))]


def window(minutes: int) -> str:
    return f"{minutes} minutes" if minutes < 60 else "hour" if minutes == 60 else f"{minutes // 60} hours"
