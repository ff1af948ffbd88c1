"""The errors of a version, followed from where the last look left them: a look feeds what has become known since."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from pipeline.config.monitors import MonitorSection
from pipeline.process.spec import KnownStream
from pipeline.stats.measured import Floats
from pipeline.watching.assessed import Assessed
from pipeline.watching.errorstream import StreamState, begun, fed, stream_assessed
from pipeline.watching.heldout import held_out
from pipeline.watching.labelled import labelled_rows, whole_minute
from pipeline.watching.look import Look
from pipeline.watching.subjects import Answered, Subject
from pipeline.watching.windows import Window
from store.facts import StreamFacts
from store.home import Home

LATEST_US: Final = 30 * 86_400_000_000
"""So long after a request its label is still taken; where the remembered windows go back further, as long as that."""


NEVER_US: Final = 4_102_444_800_000_000
"""The year 2100: a span without an end."""


@dataclass(frozen=True)
class Followed:
    """A version's stream after a look."""

    version: int
    state: StreamState
    since_us: int
    """Where it ended before."""
    rows: int
    """That were fed now."""

    def facts(self) -> StreamFacts | None:
        """For the record; None where nothing was fed."""
        if not self.rows:
            return None
        return StreamFacts(
            version=self.version,
            since_us=self.since_us,
            until_us=self.state.until_us,
            state=self.state.document(),
        )

    def assessed(self, section: MonitorSection) -> Assessed:
        return stream_assessed(self.state, section.performance.drop, section.least_rows)


def followed(home: Home, section: MonitorSection, look: Look, known: Sequence[KnownStream]) -> Followed | None:
    """None of a dataset, where the project does not want it, and before the first label.

    Raises NotFound without the training set of a regression, BundleDamaged.
    """
    answered = look.subject.answered
    if answered is None or not section.performance.stream:
        return None
    number = look.subject.number
    before = next((one for one in known if one.version == number), None)
    since_us = 0 if before is None else before.until_us
    until_us = whole_minute(min(look.subject.until_us, answered.labelled_us))
    windows = [one.window.start_us for one in look.windows]
    rows = labelled_rows(
        answered.predictions,
        answered.labels,
        number,
        answered.signature,
        asked_us=max(0, min([until_us - LATEST_US, *windows])),
        since_us=since_us,
        until_us=until_us,
    )
    state = None if before is None else _read(before)
    if state is None and not len(rows.at):
        return None
    state = state or begun(answered.signature.task, held_out_errors(home, answered))
    fresh = fed(state, rows, until_us, section.performance.drop)
    return Followed(number, fresh, since_us, len(rows.at))


def replayed(home: Home, section: MonitorSection, subject: Subject, windows: Sequence[Window]) -> list[Assessed]:
    """What would have been said after each of these windows, oldest first, had each label come with its answer.

    Empty of a dataset, and where the project does not want it. Raises as `followed` does.
    """
    answered = subject.answered
    if answered is None or not section.performance.stream or not windows:
        return []
    files = answered.predictions, answered.labels, subject.number, answered.signature
    found = labelled_rows(*files, asked_us=windows[0].start_us, since_us=0, until_us=NEVER_US)
    state = begun(answered.signature.task, held_out_errors(home, answered) if len(found.at) else None)
    said = []
    for one in windows:
        rows = found.asked_within(one.start_us, one.end_us)
        state = fed(state, rows, one.end_us, section.performance.drop)
        said.append(stream_assessed(state, section.performance.drop, section.least_rows))
    return said


def held_out_errors(home: Home, answered: Answered) -> Floats | None:
    """[n] of rows that a regression had not seen; None of classes."""
    if answered.signature.task != "regression":
        return None
    rows = held_out(home, answered.version.digest, answered.version.training_set)
    return rows.labels - rows.scores


def _read(known: KnownStream) -> StreamState | None:
    with suppress(ValueError):  # of another release: it begins anew, with what comes from now on
        return StreamState.from_document(known.state)
    return None
