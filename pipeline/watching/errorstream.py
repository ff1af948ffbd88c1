"""A version's errors as a stream, answer after answer, and the moments at which their mean changed.

Windows say how large a change is; the stream says when it was, without a window's edge in between. It takes up where it
stopped: `StreamState` is a plain document that the next window is fed into.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np

from pipeline.stats.adwin import Adwin
from pipeline.stats.measured import Floats
from pipeline.stats.metrics import Task, correct
from pipeline.watching.answers import Answers
from pipeline.watching.assessed import Assessed

_SHARE: Final = 0.99


@dataclass(frozen=True, kw_only=True)
class Shift:
    """The mean error changed: noticed at the row asked then, of which kind, and what it was before and after."""

    at_us: int
    before: float
    after: float


@dataclass(frozen=True, eq=False, kw_only=True)
class StreamState:
    """Of one version's stream. `scale`: an error in the label's unit that counts as 1; 1.0 of classes."""

    adwin: Adwin
    scale: float
    until_us: int = 0
    """Rows asked before then are in it; later labels of those are not: a stream cannot be restated."""

    def document(self) -> dict[str, Any]:
        return {"adwin": self.adwin.document(), "scale": self.scale, "until_us": self.until_us}

    @classmethod
    def from_document(cls, said: dict[str, Any]) -> StreamState:
        return cls(adwin=Adwin.from_document(said["adwin"]), scale=said["scale"], until_us=said["until_us"])


def begun(task: Task, held_out_errors: Floats | None = None, delta: float = 0.002) -> StreamState:
    """A stream before its first row. `held_out_errors` [n]: |label - answer| of rows it had not seen, for a regression:
    their 99 % quantile counts as 1, and so does what is more. ADWIN's bound holds for values from 0 to 1."""
    largest = 1.0
    if task == "regression" and held_out_errors is not None and len(held_out_errors):
        largest = float(np.quantile(np.abs(held_out_errors), _SHARE)) or 1.0
    return StreamState(adwin=Adwin(delta), scale=largest)


def fed(state: StreamState, found: Answers, until_us: int) -> tuple[StreamState, list[Shift]]:
    """The state with a window's labelled rows, in the order they were asked, and the changes among them.

    Rows asked before `state.until_us` are left out: the same window twice changes nothing. The state given stays.
    """
    adwin = Adwin.from_document(state.adwin.document())
    errors, at = errors_of(found, state.scale)
    shifts = []
    for error, at_us in zip(errors.tolist(), at.tolist(), strict=True):
        if at_us >= state.until_us and (change := adwin.update(error)) is not None:
            shifts.append(Shift(at_us=at_us, before=change.before, after=change.after))
    return StreamState(adwin=adwin, scale=state.scale, until_us=max(until_us, state.until_us)), shifts


def errors_of(found: Answers, scale: float) -> tuple[Floats, Any]:
    """Of labelled rows: 1 where the wrong class was named, or |label - answer|/scale, at most 1; and when, [n] each."""
    labels, scores = found.labels[found.labelled], found.scores[found.labelled]
    if found.labels.dtype == np.int32:
        errors = (~correct(labels, scores)).astype(np.float64)
    else:
        errors = np.minimum(np.abs(labels - scores) / scale, 1.0)
    kept = np.isfinite(errors)
    return errors[kept], found.at[found.labelled][kept]


def shifts_assessed(shifts: list[Shift], state: StreamState) -> Assessed:
    """The changes for the worse of a window, as one finding: the window is cut anew as a change becomes clearer."""
    worse = [one for one in shifts if one.after > one.before]
    width, mean = state.adwin.width, state.adwin.mean
    steady = f"no change in the errors of the last {width:,} labelled rows, mean {mean or 0.0:.3g}"
    if not worse:
        reason = steady if width else "no labelled row yet"
        return _told("clear" if width else "not yet", reason, {"width": width, "mean": mean})
    before, after = worse[0].before, worse[-1].after
    when = datetime.fromtimestamp(worse[0].at_us / 1e6, UTC).isoformat(timespec="seconds")
    reason = f"the mean error rose from {before * state.scale:.3g} to {after * state.scale:.3g}, noticed at {when}"
    return _told("found", reason, {"at": when, "before": before, "after": after, "changes": len(shifts)})


def _told(answer: Any, reason: str, evidence: dict[str, Any]) -> Assessed:
    return Assessed(
        kind="performance",
        subject="errors",
        answer=answer,
        title="it errs more than before" if answer == "found" else "it errs as before",
        reason=reason,
        evidence=evidence,
        suggestion="look at what changed at that time: a release, a source, the world" if answer == "found" else "",
    )
