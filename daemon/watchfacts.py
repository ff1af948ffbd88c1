"""What a monitor's run needs to know of the record: which versions were in production when, and what it has told."""

from __future__ import annotations

from collections.abc import Sequence

from sqlmodel import Session

from pipeline.config import Project
from pipeline.config.watched import monitors_of
from pipeline.process.spec import KnownStream, KnownWindow, MonitorFacts, WatchedVersion
from store import aliases, versions, watching
from store.tables import WatchWindow
from store.words import PRODUCTION

Tenure = tuple[int, int, int | None]
"""Version, since, until (µs; None: still)."""


def watch_facts(session: Session, monitor: str, project: Project) -> MonitorFacts | None:
    """None where the project has no such monitor any more."""
    section = monitors_of(project).get(monitor)
    if section is None:
        return None
    known = watching.newest_windows(session, monitor)
    windows = [KnownWindow(version=w.version, start_us=w.start_us, end_us=w.end_us, token=w.token) for w in known]
    if section.model is None:
        return MonitorFacts(windows=windows)
    found = _versions(session, section.model, known)
    there = {one.version for one in found}
    rows = [one for one in watching.streams(session, monitor) if one.version in there]
    streams = [KnownStream(version=one.version, until_us=one.until_us, state=one.state) for one in rows]
    return MonitorFacts(versions=found, windows=windows, streams=streams)


def _versions(session: Session, model: str, known: Sequence[WatchWindow]) -> list[WatchedVersion]:
    """Those in production since the last window ended, and those that have windows: their labels may still come."""
    moves = aliases.moves(session, model, PRODUCTION)[::-1]
    ends = [*(move.created_at for move in moves[1:]), None]
    tenures = [(move.to_version, move.created_at, end) for move, end in zip(moves, ends, strict=False)]
    last = max((one.end_us for one in known), default=None)
    since = {one.version for one in known}
    wanted = [one for one in tenures if one[0] in since or one[2] is None or (last is not None and one[2] > last)]
    return [_watched(session, model, one) for one in _merged(wanted)]


def _merged(tenures: Sequence[Tenure]) -> list[Tenure]:
    """A version that came back is one that was there all along: what it answered says when it was."""
    found: dict[int, Tenure] = {}
    for version, since, until in tenures:
        first = found.pop(version, (version, since, until))[1]
        found[version] = (version, first, until)
    return list(found.values())


def _watched(session: Session, model: str, tenure: Tenure) -> WatchedVersion:
    number, since, until = tenure
    row = versions.get_version(session, model, number)
    return WatchedVersion(
        version=number,
        digest=row.digest,
        training_set=row.training_set,
        objective=row.objective,
        metrics=row.metrics,
        made_us=row.created_at,
        since_us=since,
        until_us=until,
    )
