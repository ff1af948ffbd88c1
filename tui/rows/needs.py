"""What wants a person, as rows: what, where, and the key that acts on it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tui.table.column import Cell, Column
from tui.themes import Tone

if TYPE_CHECKING:
    from store.wire import NeedAction, NeedSeverity, NeedView


@dataclass(frozen=True)
class Act:
    """A key on the Overview that answers a need."""

    action: str
    """The method is `action_<action>`."""
    key: str
    label: str


RETRY: Final = Act("retry", "R", "retry")
STOP: Final = Act("cancel", "K", "stop")
PROMOTE: Final = Act("promote", "P", "promote")
RESUME: Final = Act("pause", "S", "resume")
RUN: Final = Act("trigger", "T", "run now")
ACKNOWLEDGE: Final = Act("acknowledge", "A", "ack")
LOOK: Final = Act("open", "Enter", "look")


def columns() -> list[Column[NeedView]]:
    return [
        Column(key="about", title="needs you", width=16, draw=lambda need, _: about(need)),
        Column(key="what", title="", width=30, grows=True, sorts=False, draw=lambda need, _: Cell(need.message)),
        Column(key="key", title="press", width=11, sorts=False, draw=lambda need, _: pressing(act(need))),
    ]


def about(need: NeedView) -> Cell:
    """Glyph and place."""
    glyph, tone = _GLYPHS[need.severity]
    return Cell(f"{glyph} {need.subject}", tone)


def pressing(found: Act) -> Cell:
    return Cell(f"{found.key} {found.label}", "key")


def act(need: NeedView) -> Act:
    """What the key for it is; Enter, where one has to look first."""
    if need.target.kind == "run":
        return RETRY if need.severity == "fail" else STOP
    return _ACTS.get(need.action, LOOK)


def opens(need: NeedView) -> tuple[str, ...]:
    """The words that open what a need is about; one word is a screen of its own."""
    where = need.target
    match where.kind:
        case "run":
            return "run", str(where.number)
        case "version":
            return "version", where.name, str(where.number)
        case "queue":
            return ("jobs",)
        case "daemon":
            return ("system",)
        case "alert" if need.action == "look":  # several
            return ("alerts",)
        case "alert":
            return "alert", str(where.number)
        case kind:
            return kind, where.name


_LISTED: Final[Mapping[str, str]] = {"source": "data", "endpoints": "serving", "channel": "alerts"}
"""What has no screen of its own → the one on which it stands."""


def target(subject: str) -> tuple[str, ...]:
    """`run 12`, `late 2`, `flights@3`, `schedule nightly` → the words that open it; one word is a screen of its own;
    empty for what has none.
    """
    words = subject.split()
    if len(words) == 2 and words[0] in {"run", "schedule", "model", "dataset", "job", "alert", "monitor"}:
        return tuple(words)
    if words and words[0] in _LISTED:
        return (_LISTED[words[0]],)
    if len(words) == 2 and words[1].isdecimal():
        return "version", words[0], words[1]
    if len(words) == 1 and "@" in subject:
        return "dataset", subject.partition("@")[0]
    return ()


_ACTS: Final[Mapping[NeedAction, Act]] = {"plan": PROMOTE, "resume": RESUME, "run": RUN, "acknowledge": ACKNOWLEDGE}
_GLYPHS: Final[Mapping[NeedSeverity, tuple[str, Tone]]] = {
    "fail": ("✘", "bad"),
    "warn": ("!", "warn"),
    "note": ("→", "live"),
}
