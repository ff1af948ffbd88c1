"""Drift: has what a version is asked moved away from what it learned from?"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from store.wire.base import Wire
from store.wire.watched import WatchFinding
from store.wire.watchwindows import WatchWindowView

DriftWord = Literal["drifted", "steady", "not yet"]
"""`not yet`: there are too few rows to say."""
DriftMeasureName = Literal["psi", "ks", "wasserstein", "missing", "new", "mmd"]


class DriftMeasure(Wire):
    """One measure of a column, in the newest window that has it."""

    measure: DriftMeasureName
    reached: int
    """Windows in which it reached its limit."""
    value: float
    limit: float
    """From here on it counts: a size that matters, and above what chance gives."""
    reason: str


class DriftColumn(Wire):
    """A feature, the prediction, or the truth as labels have it.

    What is beside `measures` is of all windows together, and decides nothing.
    """

    name: str
    subject: Literal["feature", "prediction", "label"]
    kind: Literal["numeric", "categorical", "vector"]
    state: DriftWord
    reason: str
    """The sentence that decided."""
    measures: list[DriftMeasure]
    """The most telling first."""
    jensen_shannon: float | None
    hellinger: float | None
    chi_square_p: float | None
    """Corrected for the number of columns. With many rows every difference is significant."""
    missing: float | None
    """Share of rows without a value."""
    reference_missing: float | None
    new: float | None
    """Share of rows with a word that the reference hardly has."""
    reference_new: float | None
    examples: list[str]
    """Of those words."""
    mean: float | None
    reference_mean: float | None


class DriftView(Wire):
    model: str
    version: int
    """The one in production."""
    state: DriftWord
    reason: str
    rows: int
    """Of the log, that were looked at: the newest."""
    windows: int
    window_rows: int
    since: datetime | None
    """When the oldest of them was asked."""
    until: datetime | None
    columns: list[DriftColumn]
    """Drifted ones first."""
    over_time: list[WatchWindowView] = []
    """Windows that its monitors have closed, newest first."""
    findings: list[WatchFinding] = []
    """What the last reports of its monitors say wants a person."""
    life: list[str] = []
    """How the version ages and errs, as those reports have it."""
    current: bool
    """False: some lines of the log are still on their way into the table."""
    problem: str | None
    """Why logs are not read."""
