"""A version's errors as a stream, answer after answer, and the moments at which their mean changed.

Windows say how large a change is; the stream says when it was, without a window's edge in between. It takes up where it
stopped: `StreamState` is a plain document of a few hundred numbers that the next rows are fed into. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np

from pipeline.stats.adwin import Adwin, Change
from pipeline.stats.measured import Floats
from pipeline.stats.metrics import Task, correct
from pipeline.watching.assessed import Answer, Assessed
from pipeline.watching.labelled import Labelled

SUBJECT: Final = "errors"
FORMAT: Final = 1
_SHARE: Final = 0.99


@dataclass(frozen=True, kw_only=True)
class Shift:
    """The mean error changed."""

    at_us: int
    """When the row was asked at which it was noticed."""
    row: int
    """Of the stream, counted from 1."""
    before: float
    after: float


@dataclass(frozen=True, eq=False, kw_only=True)
class StreamState:
    """Of one version's stream."""

    task: Task
    adwin: Adwin
    scale: float
    """An error in the label's unit that counts as 1; 1.0 of classes."""
    until_us: int = 0
    """What was known before then is in it."""
    last: Shift | None = None
    """The newest change, for better or worse."""
    rise: Shift | None = None
    """The change for the worse that has not been made good: its `before` is the level that it is held against."""

    @property
    def excess(self) -> float | None:
        """By how much the mean error is above what it was before the rise: of classes a share of the rows, of numbers a
        share of that error. None without a rise."""
        mean = self.adwin.mean
        if self.rise is None or mean is None:
            return None
        return _excess(self.task, self.rise.before, mean)

    def document(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "task": self.task,
            "adwin": self.adwin.document(),
            "scale": self.scale,
            "until_us": self.until_us,
            "last": None if self.last is None else asdict(self.last),
            "rise": None if self.rise is None else asdict(self.rise),
        }

    @classmethod
    def from_document(cls, said: Mapping[str, Any]) -> StreamState:
        """Raises ValueError for a document of another format."""
        if said.get("format") != FORMAT:
            raise ValueError(f"a stream of format {said.get('format')!r}, not {FORMAT}")
        last, rise = (None if said[name] is None else Shift(**said[name]) for name in ("last", "rise"))
        plain = {name: said[name] for name in ("task", "scale", "until_us")}
        return cls(adwin=Adwin.from_document(said["adwin"]), last=last, rise=rise, **plain)


def begun(task: Task, held_out_errors: Floats | None = None, delta: float = 0.002) -> StreamState:
    """A stream before its first row. `held_out_errors` [n]: label - answer of rows it had not seen, for a regression:
    the 99 % quantile of their size counts as 1, and so does what is more. ADWIN's bound is of values from 0 to 1."""
    largest = 1.0
    if task == "regression" and held_out_errors is not None and len(held_out_errors):
        largest = float(np.quantile(np.abs(held_out_errors), _SHARE)) or 1.0
    return StreamState(task=task, adwin=Adwin(delta), scale=largest)


def fed(state: StreamState, found: Labelled, until_us: int, limit: float) -> StreamState:
    """With the rows that have become known since `state.until_us` and before `until_us`, in their order.

    `limit`: an excess that matters; a rise of which less is left after a change for the better is over. The state given
    stays as it is.
    """
    adwin = Adwin.from_document(state.adwin.document())
    last, rise = state.last, state.rise
    errors = errors_of(state.task, found, state.scale)
    for error, at_us in zip(errors.tolist(), found.at.tolist(), strict=True):
        change = adwin.update(error)
        if change is not None:
            last = _shift(change, at_us)
            rise = _rise(state.task, rise, last, limit)
    return StreamState(
        task=state.task, adwin=adwin, scale=state.scale, until_us=max(until_us, state.until_us), last=last, rise=rise
    )


def errors_of(task: Task, found: Labelled, scale: float) -> Floats:
    """[n]: 1 where the wrong class was named, or |label - answer|/scale, at most 1."""
    if task != "regression":
        return (~correct(found.labels, found.scores)).astype(np.float64)
    return np.asarray(np.minimum(np.abs(found.labels - found.scores) / scale, 1.0), np.float64)


def stream_assessed(state: StreamState, limit: float, least_rows: int = 500) -> Assessed:
    """What is so after the last row: a rise is found until it is made good, or less than `limit` of it is left."""
    seen, mean = state.adwin.seen, state.adwin.mean
    if mean is None or seen < least_rows:
        return _told("not yet", f"{seen:,} labelled rows so far, and at least {least_rows:,} are needed", state, limit)
    excess, rise = state.excess, state.rise
    if rise is None or excess is None or excess < limit:
        return _told("clear", _calm(state, mean), state, limit)
    size = "" if state.task != "regression" else " as a share"
    reason = (
        f"{_what(state.task)} rose from {_value(state, rise.before)} to {_value(state, mean)}, noticed at "
        f"{_when(rise.at_us)} (row {rise.row:,} of {seen:,}): {excess:.3g} more{size}, where {limit:.3g} counts"
    )
    return _told("found", reason, state, limit)


def _excess(task: Task, before: float, now: float) -> float:
    return now - before if task != "regression" else (now - before) / before if before > 0 else float(now > 0)


def _shift(change: Change, at_us: int) -> Shift:
    return Shift(at_us=at_us, row=change.at, before=change.before, after=change.after)


def _rise(task: Task, rise: Shift | None, last: Shift, limit: float) -> Shift | None:
    """The first of several changes for the worse stays: the stream is cut anew as a change becomes clearer."""
    if last.after > last.before:
        return rise or last
    if rise is not None and _excess(task, rise.before, last.after) >= limit:
        return rise
    return None


def _calm(state: StreamState, mean: float) -> str:
    rows = f"{state.adwin.width:,} labelled rows"
    if state.last is None:
        return f"no change in {_what(state.task)} over {rows}: {_value(state, mean)}"
    what = f"{_what(state.task)} is {_value(state, mean)} over the last {rows}"
    way = "rose" if state.last.after > state.last.before else "fell"
    return f"{what}; it {way} from {_value(state, state.last.before)} at {_when(state.last.at_us)}"


def _what(task: Task) -> str:
    return "the mean error" if task == "regression" else "the share of wrong answers"


def _value(state: StreamState, mean: float) -> str:
    return f"{mean * state.scale:.3g}" if state.task == "regression" else f"{mean:.1%}"


def _when(at_us: int) -> str:
    return f"{datetime.fromtimestamp(at_us / 1e6, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _told(answer: Answer, reason: str, state: StreamState, limit: float) -> Assessed:
    mean = state.adwin.mean
    evidence: dict[str, Any] = {"rows": state.adwin.seen, "width": state.adwin.width, "limit": limit}
    evidence["mean"] = None if mean is None else mean * state.scale
    if answer == "found" and state.rise is not None:
        rise = state.rise
        evidence |= {"at": _when(rise.at_us), "row": rise.row, "before": rise.before * state.scale}
        evidence["excess"] = state.excess
    return Assessed(
        kind="performance",
        subject=SUBJECT,
        answer=answer,
        title="it errs more than before" if answer == "found" else "it errs as before",
        reason=reason,
        evidence=evidence,
        suggestion="look at what changed at that time: a release, a source, the world" if answer == "found" else "",
    )
