"""Opening the terminal UI on a place: settings, the first picture, the application, and what is left when it ends."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tui.place import Place
from tui.probe import ask_terminal

if TYPE_CHECKING:
    from tui.app import ShedApp
    from tui.client import Client
    from tui.settings import UiSettings
    from tui.widths import Widths

ESCAPE_MS = "25"
"""How long Textual waits to tell Escape from the start of a sequence. Its 100 ms are felt at every step back."""


def make_app(place: Place, settings: UiSettings, environ: Mapping[str, str], **options: Any) -> ShedApp:
    """The composition root of the UI: product, tests and screenshots call it."""
    from tui.app import ShedApp

    def connect() -> Client:
        from tui.client import Client

        return Client(place.socket)

    def keep(widths: Widths) -> None:
        from tui.settings import settings_file
        from tui.widths import keep

        keep(settings_file(environ), widths)

    return ShedApp(
        connect=connect,
        keep=keep,
        title=f"{place.project.name}@{socket.gethostname()}",
        settings=settings,
        environ=environ,
        copies=copies_folder(environ),
        **options,
    )


def copies_folder(environ: Mapping[str, str]) -> Path:
    """Where copied texts and crash reports go: `$XDG_STATE_HOME/trainshed`, else `~/.local/state/trainshed`."""
    base = environ.get("XDG_STATE_HOME") or str(Path(environ.get("HOME", "~")).expanduser() / ".local" / "state")
    return Path(base) / "trainshed"


def _settings(environ: Mapping[str, str], chosen: Mapping[str, Any]) -> UiSettings:
    from tui.settings import check_theme, read_settings, settings_file

    settings = replace(read_settings(settings_file(environ)), **{k: v for k, v in chosen.items() if v is not None})
    check_theme(settings.theme, "--theme")
    return settings


def open_ui(place: Place, environ: Mapping[str, str], **chosen: Any) -> int:
    """Runs the UI until it is left; returns its exit code. `chosen`: settings from the command line, or None."""
    os.environ.setdefault("ESCDELAY", ESCAPE_MS)
    with ThreadPoolExecutor(1) as hand:
        asked = hand.submit(ask_terminal, sys.stdin.fileno(), sys.stdout.fileno())
        settings = _settings(environ, chosen)
        import tui.app  # noqa: F401  # what takes a second, while the terminal answers

        terminal = asked.result()
    app = make_app(place, settings, environ, dark=terminal.dark, slow=terminal.slow)
    code = app.run(mouse=settings.mouse)
    if app.crash_report is not None:
        sys.stderr.write(
            f"trainshed: the terminal UI failed; the daemon and its runs go on\n"
            f"  → the report is in {app.crash_report}; `trainshed status` shows the same without the UI\n"
        )
        return 1
    return code or 0
