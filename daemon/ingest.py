"""From the spool into the record: each event once, whoever dies.

The rows and the offset up to which the spool was read are stored in one transaction, and only for the attempt that
the run is in now: an older attempt that still writes is refused.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

from pydantic import TypeAdapter
from sqlalchemy import update
from sqlmodel import col, select

from daemon.spoolfile import Line, read_lines
from store import datasets, events, lifecycle, metrics, progress, results, versions, watching
from store.engine import Record, Transaction
from store.errors import RecordBusy, StorageError
from store.facts import CheckFacts, DatasetFacts, ReportFacts, TrainingSetFacts, VersionFacts, WindowFacts
from store.home import AttemptDir
from store.tables import Attempt, Run
from store.words import ACTIVE

_CHECKS: Final = TypeAdapter(list[CheckFacts])
_WINDOWS: Final = TypeAdapter(list[WindowFacts])
Fields = dict[str, Any]
_ENVELOPE: Final = frozenset({"n", "t", "e"})
log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Place:
    """How far a spool is stored."""

    run: int
    attempt: int
    nonce: str
    offset: int
    sequence: int
    news: int = 0
    """Events read since the daemon began that say more than that the worker lives."""


class Fenced(Exception):
    """The run is in another attempt by now, or has ended: what this one says does not count."""


TakeReport = Callable[[Transaction, int, ReportFacts], None]
"""Given a monitor's report by its run: stores it, and in the same transaction all that follows from it."""


def only_stored(tx: Transaction, run: int, facts: ReportFacts) -> None:
    """A report from which nothing follows."""
    watching.put_report(tx, run, facts)


def ingest(record: Record, directory: AttemptDir, place: Place, report: TakeReport = only_stored) -> Place:
    """Stores what is new in the spool, up to `spoolfile.PIECE` bytes; the place after it (the same if nothing is).

    Raises Fenced, StorageError, RecordBusy (nothing was stored: try again later).
    """
    lines = read_lines(directory.events, place.offset)
    return store_lines(record, place, lines, report) if lines else place


def store_lines(record: Record, place: Place, lines: Sequence[Line], report: TakeReport = only_stored) -> Place:
    """Stores lines in one transaction. One that cannot be stored is passed over, and the history says so."""
    try:
        with record.transaction() as tx:
            _apply(tx, place, lines, report)
            return _advance(tx, place, lines)
    except (StorageError, RecordBusy, Fenced, MemoryError):
        raise
    except Exception as error:  # whatever it is: kept, it would keep the run from ever ending, and the next daemon out
        if len(lines) > 1:
            for line in lines:
                place = store_lines(record, place, [line], report)
            return place
        return _pass_over(record, place, lines[0], error)


def _apply(tx: Transaction, place: Place, lines: Sequence[Line], report: TakeReport) -> None:
    new = [line for line in lines if line.kind is None or line.number > place.sequence]
    for kind, group in groupby(new, key=lambda line: line.kind):
        same = list(group)
        if kind == "metrics":
            metrics.add_points(tx, (_chunk(place.run, line) for line in same))
        elif kind == "progress":
            _progress(tx, place.run, same[-1])
        elif kind is None:
            _strange(tx, place.run, f"{len(same)} lines of its spool are not events", dict(same[0].fields))
        elif kind in _KINDS:
            for line in same:
                _KINDS[kind](tx, place, _said(line))
        elif kind == "report":
            for line in same:
                report(tx, place.run, ReportFacts.model_validate(_said(line)))
        else:
            _strange(tx, place.run, f"its spool has {len(same)} events of the unknown kind {kind!r}", {"kind": kind})
    if any(line.kind in ("metrics", "fault", "skip", "done") for line in new):
        progress.heard(tx, place.run)


def _said(line: Line) -> Fields:
    return {name: value for name, value in line.fields.items() if name not in _ENVELOPE}


def _advance(tx: Transaction, place: Place, lines: Sequence[Line]) -> Place:
    end = Place(
        run=place.run,
        attempt=place.attempt,
        nonce=place.nonce,
        offset=lines[-1].end,
        sequence=max([place.sequence, *(line.number for line in lines)]),
        news=place.news + sum(line.kind != "heartbeat" for line in lines),
    )
    tx.finish()
    current = select(Run.id).where(
        col(Run.id) == place.run, col(Run.attempt) == place.attempt, col(Run.state).in_(ACTIVE)
    )
    moved = tx.connection.execute(
        update(Attempt)
        .where(
            col(Attempt.run) == place.run,
            col(Attempt.number) == place.attempt,
            col(Attempt.nonce) == place.nonce,
            col(Attempt.spool_offset) == place.offset,
            current.exists(),
        )
        .values(spool_offset=end.offset, spool_seq=end.sequence)
    )
    if moved.rowcount != 1:
        raise Fenced(f"attempt {place.attempt} of run {place.run}")
    return end


def _pass_over(record: Record, place: Place, line: Line, error: Exception) -> Place:
    log.warning("run %s: a %s event could not be stored: %s", place.run, line.kind, error)
    with record.transaction() as tx:
        what = f"an event of its spool could not be stored: {type(error).__name__}: {str(error)[:500]}"
        _strange(tx, place.run, what, {"kind": line.kind, "n": line.number})
        return _advance(tx, place, [line])


def _strange(tx: Transaction, run: int, message: str, data: Mapping[str, Any]) -> None:
    events.append(tx, actor="daemon", kind="run.spool", subject=f"run {run}", message=message, data=data)


def _chunk(run: int, line: Line) -> metrics.Chunk:
    fields = line.fields
    return metrics.Chunk(run=run, at=int(line.at * 1e6), steps=fields["steps"], values=fields["values"])


def _progress(tx: Transaction, run: int, line: Line) -> None:
    fields = line.fields
    progress.report_progress(
        tx,
        run,
        done=float(fields["done"]),
        total=None if fields.get("total") is None else float(fields["total"]),
        unit=str(fields.get("unit", "")),
        message=str(fields.get("message", "")),
        eta_s=None if fields.get("eta_s") is None else float(fields["eta_s"]),
    )


def _hello(tx: Transaction, place: Place, fields: Fields) -> None:
    lifecycle.mark_running(tx, place.run, place.attempt)


def _params(tx: Transaction, place: Place, fields: Fields) -> None:
    results.put_params(tx, place.run, fields["values"])


def _note(tx: Transaction, place: Place, fields: Fields) -> None:
    data = {"level": fields.get("level", "info"), **fields.get("data", {})}
    subject = f"run {place.run}"
    events.append(tx, actor=subject, kind=fields["kind"], subject=subject, message=fields["message"], data=data)
    progress.heard(tx, place.run)


def _artifact(tx: Transaction, place: Place, fields: Fields) -> None:
    results.put_artifact(tx, place.run, **fields)


def _checkpoint(tx: Transaction, place: Place, fields: Fields) -> None:
    results.put_checkpoint(tx, place.run, **fields)


def _dataset(tx: Transaction, place: Place, fields: Fields) -> None:
    datasets.add_version(tx, place.run, DatasetFacts.model_validate(fields))


def _checks(tx: Transaction, place: Place, fields: Fields) -> None:
    found = _CHECKS.validate_python(fields["results"])
    datasets.add_checks(tx, place.run, fields["dataset"], fields["version"], found)


def _training_set(tx: Transaction, place: Place, fields: Fields) -> None:
    results.put_training_set(tx, place.run, TrainingSetFacts.model_validate(fields))


def _version(tx: Transaction, place: Place, fields: Fields) -> None:
    versions.add_version(tx, VersionFacts.model_validate(fields), place.run)


def _verdict(tx: Transaction, place: Place, fields: Fields) -> None:
    versions.set_verdict(tx, run=place.run, **fields)


def _windows(tx: Transaction, place: Place, fields: Fields) -> None:
    watching.put_windows(tx, fields["monitor"], _WINDOWS.validate_python(fields["windows"]))


def _fingerprint(tx: Transaction, place: Place, fields: Fields) -> None:
    progress.set_fingerprint(tx, place.run, fields["value"])


def _nothing(tx: Transaction, place: Place, fields: Fields) -> None:
    """Has a meaning for others (`spoolfile.last_word`), or only that it was said."""


_KINDS: Final[Mapping[str, Callable[[Transaction, Place, Fields], None]]] = {
    "hello": _hello,
    "params": _params,
    "heartbeat": _nothing,
    "note": _note,
    "artifact": _artifact,
    "checkpoint": _checkpoint,
    "dataset": _dataset,
    "checks": _checks,
    "training_set": _training_set,
    "version": _version,
    "verdict": _verdict,
    "windows": _windows,
    "fingerprint": _fingerprint,
    "skip": _nothing,
    "fault": _nothing,
    "done": _nothing,
}
