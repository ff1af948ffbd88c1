"""The sign, the word and the meaning of every state: for the screens and for what the verbs print. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

if TYPE_CHECKING:
    from store.wire import AlertSeverity, AlertState, DriftWord, Outcome, RunState


class Sign(NamedTuple):
    """The word always stands beside glyph and colour, so neither carries meaning alone."""

    glyph: str
    word: str
    tone: Literal["good", "bad", "warn", "live", "dim"]

    @property
    def text(self) -> str:
        return f"{self.glyph} {self.word}"


STATES: Final[Mapping[RunState, Sign]] = {
    "queued": Sign("…", "queued", "warn"),
    "starting": Sign("▹", "starting", "live"),
    "running": Sign("▶", "running", "live"),
    "succeeded": Sign("✔", "succeeded", "good"),
    "skipped": Sign("○", "skipped", "dim"),
    "failed": Sign("✘", "failed", "bad"),
    "cancelled": Sign("■", "cancelled", "warn"),
    "lost": Sign("?", "lost", "bad"),
    "upstream_failed": Sign("↑", "upstream failed", "bad"),
}
OUTCOMES: Final[Mapping[Outcome, Sign]] = {
    "pass": Sign("✔", "pass", "good"),
    "warn": Sign("!", "warn", "warn"),
    "fail": Sign("✘", "fail", "bad"),
}
SEVERITIES: Final[Mapping[AlertSeverity, Sign]] = {
    "critical": Sign("✘", "critical", "bad"),
    "warning": Sign("!", "warning", "warn"),
    "info": Sign("·", "info", "live"),
}
ALERTS: Final[Mapping[AlertState, Sign]] = {
    "open": Sign("●", "open", "warn"),
    "acknowledged": Sign("◐", "acknowledged", "live"),
    "resolved": Sign("✔", "resolved", "dim"),
}
DRIFT: Final[Mapping[DriftWord, Sign]] = {
    "drifted": Sign("✘", "drifted", "bad"),
    "steady": Sign("✔", "steady", "good"),
    "not yet": Sign("…", "not yet", "dim"),
}
