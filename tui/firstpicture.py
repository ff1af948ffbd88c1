"""The first picture: what the Overview will show, painted in plain ANSI while Textual is still being loaded.

The standard library only, and little of it: this runs before anything else. It asks the daemon over its socket with
bare HTTP, waits a tenth of a second for the answer, and puts the same things in the same places as the Overview.
"""

from __future__ import annotations

import json
import os
import socket as sockets
from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any, NamedTuple

from tui.room import BOX_LINES, HEAD, main_width, share
from tui.sockets import address_of

PATIENCE_SECONDS = 0.1
ENTER = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[H\x1b[2J"
"""To the other screen, without a cursor, without line breaks (xterm's ctlseqs, "DEC Private Mode")."""
PAINTED = "\x1b[?7h"
LEAVE = "\x1b[?25h\x1b[?1049l"
"""Back to the screen of before: for who opens no UI after all."""
_STYLES = {"": "", "bold": "\x1b[1m", "dim": "\x1b[2m", "bad": "\x1b[31m", "warn": "\x1b[33m", "good": "\x1b[32m"}
_STYLES |= {"live": "\x1b[36m", "title": "\x1b[1;34m"}
_NAME, _GAP = 16, 2
_SEVERITIES = {"fail": ("✘", "bad"), "warn": ("!", "warn"), "note": ("→", "live")}


class Part(NamedTuple):
    text: str
    style: str = ""


Row = Sequence[Part]
Answer = Mapping[str, Any]


def paint(
    socket: Path,
    title: str,
    size: tuple[int, int],
    now: datetime,
    zone: tzinfo | None,
    patience: float = PATIENCE_SECONDS,
) -> str:
    """The whole picture for a terminal of `size` (columns, lines), as it is to be written."""
    try:
        rows = picture(ask(socket, patience), size, now, zone)
        badge = Part("● live", "good")
    except (ConnectionError, FileNotFoundError):
        rows = absent(socket)
        badge = Part("▲ no daemon", "bad")
    except (OSError, ValueError, KeyError, TypeError):
        # It takes longer, or is of another release: the UI that comes says what is so.
        rows, badge = [], Part("… asking", "dim")
    lines = [_top(title, badge, size[0]), *rows]
    return ENTER + "\r\n".join(_drawn(line, size[0]) for line in lines[: size[1]]) + PAINTED


def ask(socket: Path, patience: float) -> Answer:
    """`GET /v1/status`. Raises OSError when nobody answers in time, ValueError when it is no answer of ours."""
    folder, address = address_of(socket)
    try:
        with sockets.socket(sockets.AF_UNIX, sockets.SOCK_STREAM) as line:
            line.settimeout(patience)
            line.connect(address)
            line.sendall(b"GET /v1/status HTTP/1.0\r\nHost: trainshed\r\n\r\n")
            pieces = iter(lambda: line.recv(65_536), b"")
            head, _, body = b"".join(pieces).partition(b"\r\n\r\n")
    finally:
        if folder is not None:
            os.close(folder)
    if b" 200 " not in head.split(b"\r\n", 1)[0]:
        raise ValueError("the daemon refused")
    answer: Answer = json.loads(body)
    return answer


def picture(status: Answer, size: tuple[int, int], now: datetime, zone: tzinfo | None) -> list[Row]:
    """The lists of the Overview, without what has to be asked for besides."""
    width = main_width(size[0])
    lists = [
        _list(_row(width, "needs you", "", ("press", 11)), _needs(status, width), Part("✔ nothing needs you", "good")),
        _list(
            _row(width, "in production", "reached", ("version", 7), ("since", 12), ("by", 7)),
            _production(status, now, zone),
            Part("no version is in production yet: Models (3), P on a version", "dim"),
        ),
        _list(
            _row(width, "running", "progress", ("run", 7), ("state", 12)),
            _running(status),
            Part("nothing runs: Jobs (7) lists what can", "dim"),
        ),
        _list(_row(width, "next", "job", ("at", 12)), _next(status, now, zone), Part("nothing is scheduled", "dim")),
    ]
    room = size[1] - 2 - BOX_LINES
    heights = share([len(one) for one in lists], room)
    gaps = room - sum(heights)
    rows: list[Row] = []
    for one, height in zip(lists, heights, strict=True):
        rows += [*one[:height], *([()] if gaps > 0 else [])]
        gaps -= 1
    return rows


def absent(socket: Path) -> list[Row]:
    """Nobody is there."""
    return [
        (Part("  needs you", "title"),),
        (Part("  ✘ no daemon is running here", "bad"), Part(f"  {socket}", "dim")),
        (Part("  → start it with `trainshed up --detach`; this screen connects by itself"),),
    ]


def short(moment: str | None, now: datetime, zone: tzinfo | None) -> str:
    """As `tui.rows.words.clock`: the time of today, day and time of this year, else the date."""
    if moment is None:
        return "-"
    here, there = datetime.fromisoformat(moment).astimezone(zone), now.astimezone(zone)
    if here.date() == there.date():
        return f"{here:%H:%M:%S}"
    return f"{here:%b %d %H:%M}" if here.year == there.year else f"{here:%Y-%m-%d}"


def _needs(status: Answer, width: int) -> list[Row]:
    text = width - 2 - _NAME - _GAP
    return [
        (Part(f"  {_fit(f'{glyph} ' + need['subject'], _NAME)}  ", style), Part(_fit(need["message"], text - 13)))
        for need in status["needs_you"]
        for glyph, style in [_SEVERITIES[need["severity"]]]
    ]


def _production(status: Answer, now: datetime, zone: tzinfo | None) -> list[Row]:
    return [
        _cells(alias["model"], (f"v{alias['version']}", 7), (short(alias["since"], now, zone), 12), (alias["actor"], 7))
        for alias in status["production"]
    ]


def _running(status: Answer) -> list[Row]:
    return [
        (
            *_cells(run["job"], (str(run["id"]), 7)),
            Part(_fit(f"▶ {run['state']}" if run["state"] == "running" else f"▹ {run['state']}", 12) + "  ", "live"),
            Part(run["message"] or run["reason"]),
        )
        for run in status["running"]
    ]


def _next(status: Answer, now: datetime, zone: tzinfo | None) -> list[Row]:
    return [
        (*_cells(schedule["name"], (short(schedule["next_at"], now, zone), 12)), Part(schedule["job"]))
        for schedule in status["next_schedules"]
    ]


def _list(title: Row, rows: list[Row], empty: Part) -> list[Row]:
    return [title, *(rows or [(Part("  "), empty)])][: HEAD + max(1, len(rows))]


def _row(width: int, title: str, last: str, *columns: tuple[str, int]) -> Row:
    """A list's first line."""
    named = "".join(_fit(name, cells) + " " * _GAP for name, cells in columns)
    if last:
        return Part(f"  {_fit(title, _NAME)}  ", "title"), Part(named + last, "dim")
    rest = width - 2 - _NAME - _GAP
    return Part(f"  {_fit(title, _NAME)}  ", "title"), Part(named.rstrip().rjust(rest - 6), "dim")


def _cells(name: str, *columns: tuple[str, int]) -> list[Part]:
    words = "".join(_fit(text, cells) + " " * _GAP for text, cells in columns)
    return [Part(f"  {_fit(name, _NAME)}  ", "bold"), Part(words)]


def _top(title: str, badge: Part, width: int) -> Row:
    left = f" trainshed {title}  Overview"
    space = max(1, width - len(left) - len(badge.text) - 1)
    return Part(" trainshed ", "bold"), Part(left[len(" trainshed ") :] + " " * space), badge


def _fit(text: str, cells: int) -> str:
    text = _printable(text)
    return text.ljust(cells) if len(text) <= cells else text[: cells - 1] + "…"


def _drawn(row: Row, width: int) -> str:
    drawn, left = "", width
    for part in row:
        text = _printable(part.text)[:left]
        left -= len(text)
        drawn += f"{_STYLES[part.style]}{text}\x1b[0m" if part.style else text
    return drawn


def _printable(text: str) -> str:
    """What a run has said must not command the terminal."""
    return "".join(letter if letter.isprintable() else " " for letter in text)
