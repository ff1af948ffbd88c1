"""What wants a person, as rows: what, where, and the key that acts on it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tui.table.column import Cell, Column
from tui.themes import Tone

if TYPE_CHECKING:
    from store.wire import NeedView


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
LOOK: Final = Act("open", "Enter", "look")


def columns() -> list[Column[NeedView]]:
    return [
        Column(key="about", title="needs you", width=16, draw=lambda need, _: about(need)),
        Column(key="what", title="", width=30, grows=True, sorts=False, draw=lambda need, _: Cell(need.message)),
        Column(key="key", title="press", width=11, sorts=False, draw=lambda need, _: pressing(act(need))),
    ]


def about(need: NeedView) -> Cell:
    """Glyph and place."""
    glyph, tone = _GLYPHS[weight(need)]
    return Cell(f"{glyph} {need.subject}", tone)


def pressing(found: Act) -> Cell:
    return Cell(f"{found.key} {found.label}", "key")


def weight(need: NeedView) -> str:
    """`fail`, `warn`, or `wait` for what is well and only waits for a decision."""
    command = need.command
    if command.startswith("trainshed plan"):
        return "wait"
    if command.startswith("trainshed schedules resume") or "stall_timeout" in need.message:
        return "warn"
    return "fail"


def act(need: NeedView) -> Act:
    """What the key for it is; Enter, where one has to look first."""
    command = need.command
    if command.startswith("trainshed plan"):
        return PROMOTE
    if command.startswith("trainshed schedules resume"):
        return RESUME
    if command.startswith("trainshed runs show"):
        return STOP if "stall_timeout" in need.message else RETRY
    if command.startswith("trainshed run "):
        return RUN
    return LOOK


def target(subject: str) -> tuple[str, ...]:
    """`run 12`, `late 2`, `flights@3`, `schedule nightly` → the words that open it; empty for what has no screen."""
    words = subject.split()
    if len(words) == 2 and words[0] in {"run", "schedule", "model", "dataset", "job", "source"}:
        return tuple(words)
    if len(words) == 2 and words[1].isdigit():
        return "version", words[0], words[1]
    if len(words) == 1 and "@" in subject:
        return "dataset", subject.partition("@")[0]
    return ()


_GLYPHS: Final[dict[str, tuple[str, Tone]]] = {"fail": ("✘", "bad"), "warn": ("!", "warn"), "wait": ("→", "live")}
