"""Endpoints and predictions as text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from store.wire import EndpointsView, EndpointView, ServingHistoryView
from tui.draw.traffic import parted
from tui.render import Heads, Rows, count, heading, number_column, table, when, wide_column


def endpoints(view: EndpointsView) -> RenderableType:
    """Where they are, what answers, who answers."""
    parts: list[RenderableType] = [_state(view)]
    parts += [Text(f"! {view.problem}", style="yellow")] if view.problem else []
    parts += [Text(f"… {view.phase}", style="cyan")] if view.phase else []
    if view.compilations:
        parts.append(Text(f"! {view.compilations} programs were compiled while serving", style="yellow"))
    if not view.running:
        return Group(*parts)
    traffic = [found for one in view.endpoints if (found := parted(one)) is not None]
    cold = [Text(said, style="dim") for one in view.endpoints if (said := cold_start(one))]
    return Group(
        *parts, Text(""), _models(view.endpoints), *cold, *traffic, Text(""), heading("processes"), _workers(view)
    )


def history(view: ServingHistoryView) -> RenderableType:
    """What each version answered, a line a stretch of time; what belongs to no version under its model's name."""
    rows: Rows = [
        [
            when(point.at),
            series.model or "the processes",
            "-" if series.version is None else f"v{series.version}",
            f"{point.rps:.1f}",
            *("-" if n is None else f"{n:.1f}" for n in (point.p50_ms, point.p95_ms, point.p99_ms)),
            Text(count(point.errors), style="red" if point.errors else ""),
            count(point.refused),
            count(point.waiting),
            "-" if point.batch_rows is None else f"{point.batch_rows:.1f}",
            Text(count(point.dropped), style="yellow" if point.dropped else ""),
            Text(count(point.compilations), style="yellow" if point.compilations else ""),
        ]
        for series in view.series
        for point in series.points
    ]
    numbers = ("a second", "p50 ms", "p95 ms", "p99 ms", "errors", "refused")
    more = ("waiting", "rows a run", "dropped", "compiled")
    heads: Heads = ["from", "model", "version", *(number_column(name) for name in (*numbers, *more))]
    return table(heads, rows, empty="nothing was answered in this time, or it was not counted: it is while they run")


def predictions(answer: Mapping[str, Any]) -> RenderableType:
    """An answer of /v1/predict."""
    rows: Rows = [[str(place), *_prediction(one)] for place, one in enumerate(answer["predictions"])]
    head = f"{answer['model']}, version {answer['version']}"
    return Group(heading(head), table([number_column("row"), "answer", wide_column("")], rows, empty="no rows"))


def _state(view: EndpointsView) -> Text:
    who = f", as {view.asked_by} asked" if view.asked_by else ""
    if view.running:
        return Text.assemble(
            ("endpoints", "bold"), f"  {view.url}{f', gRPC {view.grpc}' if view.grpc else ''}, epoch {view.epoch}{who}"
        )
    if view.wanted:
        return Text.assemble(("endpoints", "bold"), f"  are being started{who}")
    return Text.assemble(("endpoints", "bold"), f"  off{who}: `trainshed endpoints start` serves what is in production")


def _models(found: list[EndpointView]) -> RenderableType:
    numbers = ("requests", "errors", "a second", "rows a run", "p50 ms", "p95 ms", "p99 ms", "logged", "dropped")
    heads: Heads = ["model", "version", "previous", "state", *(number_column(name) for name in numbers)]
    rows: Rows = [
        [
            one.model,
            f"v{one.version}",
            "-" if one.previous is None else f"v{one.previous}",
            _readiness(one),
            count(one.requests),
            count(one.errors),
            *("-" if n is None else f"{n:.1f}" for n in (one.rps, one.batch_rows, one.p50_ms, one.p95_ms, one.p99_ms)),
            count(one.logged),
            Text(count(one.dropped), style="yellow" if one.dropped else ""),
        ]
        for one in found
    ]
    return table(heads, rows, empty="no version is in production: `trainshed promote MODEL VERSION` puts one there")


def _readiness(one: EndpointView) -> Text:
    if one.asleep and one.ready:
        return Text("○ asleep", style="cyan")
    return Text("✔ ready", style="green") if one.ready else Text(f"✘ {one.reason}", style="red")


def cold_start(one: EndpointView) -> str:
    """What it costs to wake a model; "" if none was woken."""
    if one.cold_ms is None:
        return ""
    took = f"answered after {one.cold_ms:,.0f} ms"
    if one.cold_starts == 1:
        return f"{one.model}: 1 cold start, {took}"
    return f"{one.model}: {count(one.cold_starts)} cold starts, the last one {took}"


def _workers(view: EndpointsView) -> RenderableType:
    state = {"ready": "spare, warm"}
    rows: Rows = [
        [
            str(one.number),
            str(one.pid),
            state.get(one.state, one.state),
            str(one.epoch),
            "; ".join(one.missing.values()),
        ]
        for one in view.workers
    ]
    heads: Heads = [number_column("worker"), number_column("pid"), "state", number_column("epoch"), wide_column("")]
    return table(heads, rows, empty="none yet")


def _prediction(one: Mapping[str, Any]) -> list[str]:
    if "value" in one:
        return [f"{one['value']:.6g}", ""]
    shares = sorted(one["probabilities"].items(), key=lambda entry: -entry[1])
    return [one["label"], "  ".join(f"{name} {share:.4f}" for name, share in shares[:8])]
