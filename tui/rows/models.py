"""Models as rows, and what is live of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from tui.rows.gates import verdict
from tui.rows.measures import interval
from tui.rows.moves import pointing
from tui.rows.words import clock, since_epoch
from tui.table.column import Cell, Column, Frame

if TYPE_CHECKING:
    from datetime import datetime

    from store.wire import AliasEventView, ModelView, VersionView


def columns() -> list[Column[ModelView]]:
    return [
        Column(key="name", title="model", width=14, draw=lambda m, _: Cell(m.name, "strong")),
        Column(key="production", title="live", width=6, draw=lambda m, _: live(m), value=_live_number),
        Column(key="metric", title="its objective, 95 %", width=29, draw=lambda m, _: objective(m), value=_metric),
        Column(
            key="versions",
            title="versions",
            width=8,
            right=True,
            draw=lambda m, _: Cell(_versions(m)),
            order=lambda m: 0 if m.latest is None else m.versions,
        ),
        Column(key="aliases", title="other aliases", width=14, grows=True, draw=lambda m, _: Cell(other_aliases(m))),
        Column(key="task", title="task", width=10, draw=lambda m, _: Cell(m.task, "dim")),
        Column(key="since", title="made", width=12, extra=True, draw=_made, order=_made_at),
        Column(key="gates", title="gates", width=18, extra=True, draw=lambda m, _: gates(m)),
    ]


def live(model: ModelView) -> Cell:
    if model.production is not None:
        return Cell(f"● v{model.production.version}", "good")
    return Cell("○ -", "dim")


def objective(model: ModelView) -> Cell:
    """Of the version in production."""
    if model.production is None:
        return Cell(f"{model.objective} -", "dim")
    return Cell(f"{model.objective} {interval(model.production.metrics.get(model.objective))}")


def other_aliases(model: ModelView) -> str:
    """Every alias but production: `candidate v3`."""
    from store.wire import PRODUCTION

    return ", ".join(f"{name} v{number}" for name, number in model.aliases.items() if name != PRODUCTION)


def gates(model: ModelView) -> Cell:
    return Cell("") if model.production is None else verdict(model.production)


def as_of(
    model: ModelView, versions: Sequence[VersionView], moves: Sequence[AliasEventView], moment: datetime
) -> ModelView:
    """The model at a time: the versions made until then, and the aliases where they pointed then."""
    from store.wire import PRODUCTION

    there = versions_as_of(versions, moves, moment)
    points = pointing(moves, moment)
    by_number = {version.version: version for version in there}
    return model.model_copy(
        update={
            "versions": len(there),
            "latest": max(by_number, default=None),
            "aliases": points,
            "production": by_number.get(points.get(PRODUCTION, -1)),
        }
    )


def versions_as_of(
    versions: Sequence[VersionView], moves: Sequence[AliasEventView], moment: datetime
) -> list[VersionView]:
    """The versions made until a time, with the aliases and, as far as it was given then, the verdict of that time."""
    held: dict[int, list[str]] = {}
    for alias, number in pointing(moves, moment).items():
        held.setdefault(number, []).append(alias)
    return [
        version.model_copy(update={"aliases": held.get(version.version, []), **_verdict_then(version, moment)})
        for version in versions
        if version.created_at <= moment
    ]


def _verdict_then(version: VersionView, moment: datetime) -> Mapping[str, None]:
    """A verdict that was given later was not known; the one before it is not kept."""
    return {"verdict": None} if version.verdict is not None and version.verdict.at > moment else {}


def _versions(model: ModelView) -> str:
    return "0" if model.latest is None else str(model.versions)


def _live_number(model: ModelView) -> int | None:
    return None if model.production is None else model.production.version


def _metric(model: ModelView) -> float | None:
    found = None if model.production is None else model.production.metrics.get(model.objective)
    return None if found is None else found.value


def _made_at(model: ModelView) -> float | None:
    return None if model.production is None else since_epoch(model.production.created_at)


def _made(model: ModelView, frame: Frame) -> Cell:
    return Cell("-" if model.production is None else clock(model.production.created_at, frame), "dim")
