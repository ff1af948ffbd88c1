"""The command line of the UI: what was typed → what to do. Pure."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from tui.failure import Usage

OBJECTS: Final[Mapping[str, int]] = {
    "run": 1,
    "model": 1,
    "version": 2,
    "dataset": 1,
    "job": 1,
    "schedule": 1,
    "experiment": 1,
    "alert": 1,
    "monitor": 1,
    "endpoint": 1,
}
"""Kind → words that name one."""
_NUMBERED: Final[Mapping[str, str]] = {"run": "a run", "alert": "an alert", "version": "a version"}
"""Those whose last word is a number."""
_NUMBER: Final = re.compile(r"[0-9]{1,18}")


@dataclass(frozen=True)
class Vocabulary:
    """What can be named, for completion and for messages."""

    screens: Mapping[str, str] = field(default_factory=dict)
    """Name or alias → mode."""
    actions: Mapping[str, str] = field(default_factory=dict)
    """Words → action id."""
    themes: Sequence[str] = ()
    objects: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Kind → names that are known."""


@dataclass(frozen=True)
class Command:
    verb: str
    """`screen`, `open`, `theme`, `at`, `filter`, `action`, `quit`."""
    words: tuple[str, ...] = ()


def read(text: str, known: Vocabulary) -> Command:
    """Raises Usage with what there is."""
    try:
        first, *rest = shlex.split(text)
    except ValueError as error:
        raise Usage(f"this cannot be read: {error}", remedy="close the quotation marks") from None
    if first in {"q", "quit", "exit"}:
        return Command("quit")
    if first in known.screens:
        return _screen(known.screens[first], rest)
    if first in OBJECTS:
        return _open(first, rest, known)
    if first == "theme":
        return _theme(rest, known)
    if first in {"at", "filter"}:
        return Command(first, tuple(rest))
    words = " ".join([first, *rest])
    if words in known.actions:
        return Command("action", (known.actions[words],))
    raise Usage(f"there is no command {first!r}", remedy=f"there are: {', '.join(_firsts(known))}; `?` shows the keys")


def complete(text: str, known: Vocabulary) -> str | None:
    """The first continuation of what was typed so far, in full."""
    if not text.strip():
        return None
    return next(
        (candidate for candidate in _candidates(known) if candidate.startswith(text) and candidate != text), None
    )


def _screen(mode: str, rest: Sequence[str]) -> Command:
    """`:runs state=failed` opens the screen with a filter."""
    return Command("screen", (mode, " ".join(rest)))


def _open(kind: str, rest: Sequence[str], known: Vocabulary) -> Command:
    """`:run 12` opens the screen of one."""
    remedy = f"for example `:{_example(kind, known)}`"
    if len(rest) != OBJECTS[kind]:
        raise Usage(f"{kind} needs a name", remedy=remedy)
    if kind in _NUMBERED and not _NUMBER.fullmatch(rest[-1]):
        raise Usage(f"{rest[-1]!r} is no number of {_NUMBERED[kind]}", remedy=remedy)
    return Command("open", (kind, *rest))


def _theme(rest: Sequence[str], known: Vocabulary) -> Command:
    if len(rest) != 1 or rest[0] not in known.themes:
        raise Usage("which theme?", remedy=f"there are: {', '.join(known.themes)}")
    return Command("theme", (rest[0],))


def _example(kind: str, known: Vocabulary) -> str:
    name = next(
        iter(known.objects.get(kind, ())),
        "12" if kind in {"run", "alert"} else "late 2" if kind == "version" else "late",
    )
    return f"{kind} {name}"


def _firsts(known: Vocabulary) -> list[str]:
    return sorted({*known.screens.values(), *OBJECTS, "theme", "at", "filter", "quit"})


def _candidates(known: Vocabulary) -> Iterable[str]:
    yield from known.screens
    for kind in OBJECTS:
        yield from (f"{kind} {name}" for name in known.objects.get(kind, ()))
        yield f"{kind} "
    yield from (f"theme {name}" for name in known.themes)
    yield from ("at ", "filter ", "quit")
    yield from known.actions
