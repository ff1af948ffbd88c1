"""`trainshed`, the command. Without a verb, on a terminal: the first picture at once, then the UI over it. Else the
command line. Nothing is loaded before it is known which of the two is meant.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tui.failure import Failure
from tui.place import Place, find_place

SWITCHES = {"--read-only": "read_only", "--lite": "lite", "--mouse": "mouse", "--utc": "utc"}
VALUES = {"--theme": "theme", "--project": "project"}


def main() -> None:
    """Exits with the code of the design's §7."""
    chosen = bare(sys.argv[1:])
    completing = any(name.startswith("_") and name.endswith("_COMPLETE") for name in os.environ)
    gc.disable()  # what is loaded now stays; to look through it again and again is a quarter of the start
    if chosen is None or completing or not (sys.stdin.isatty() and sys.stdout.isatty()):
        from tui.cli import app

        _loaded()
        app()
        return
    sys.exit(open_terminal(chosen, os.environ))


def _loaded() -> None:
    gc.freeze()
    gc.enable()


def bare(arguments: Sequence[str]) -> dict[str, Any] | None:
    """The settings of a command without a verb; None for everything that the command line has to judge. Pure."""
    chosen: dict[str, Any] = {}
    words = iter(arguments)
    for word in words:
        name, equals, value = word.partition("=")
        if word in SWITCHES:
            chosen[SWITCHES[word]] = True
        elif name in VALUES:
            found = value if equals else next(words, None)
            if found is None:
                return None
            chosen[VALUES[name]] = found
        else:
            return None
    return chosen


def open_terminal(chosen: Mapping[str, Any], environ: Mapping[str, str]) -> int:
    """The first picture, then the UI; its exit code."""
    from tui.firstpicture import LEAVE

    settings = {name: value for name, value in chosen.items() if name != "project"}
    painted = False
    try:
        place = find_place(chosen.get("project"), Path.cwd(), environ)
        painted = show_first_picture(place, utc=bool(settings.get("utc")), term=environ.get("TERM", ""))
        from tui.ui import open_ui

        _loaded()
        return open_ui(place, environ, **settings)
    except Failure as failure:
        sys.stdout.write(LEAVE if painted else "")
        sys.stdout.flush()
        sys.stderr.write(f"trainshed: {failure}\n")
        return failure.exit_code
    except KeyboardInterrupt:
        sys.stdout.write(LEAVE if painted else "")
        return 130


def show_first_picture(place: Place, *, utc: bool, term: str) -> bool:
    """Whether there was one: a dumb terminal gets none."""
    if term in {"", "dumb"}:
        return False
    from tui.firstpicture import paint

    size = os.get_terminal_size(sys.stdout.fileno())
    now = datetime.now(UTC)
    title = f"{place.project.name}@{os.uname().nodename}"
    sys.stdout.write(paint(place.socket, title, (size.columns, size.lines), now, UTC if utc else None))
    sys.stdout.flush()
    return True
