"""Copies and crash reports."""

from __future__ import annotations

import base64
import stat
from datetime import UTC, datetime
from pathlib import Path

from tui.clipboard import MOST, osc52, write_copy
from tui.crash import report

NOW = datetime(2026, 11, 26, 14, 30, tzinfo=UTC)


def test_a_text_goes_to_the_clipboard_of_the_terminal_on_the_other_side() -> None:
    encoded = base64.b64encode("run 12 ✔".encode()).decode()
    assert osc52("run 12 ✔", {}) == f"\x1b]52;c;{encoded}\x07"


def test_tmux_and_screen_are_asked_to_pass_it_on() -> None:
    assert osc52("x", {"TMUX": "/tmp/tmux-0/default,1,0"}) == "\x1bPtmux;\x1b\x1b]52;c;eA==\x07\x1b\\"
    assert osc52("x", {"TERM": "screen-256color"}) == "\x1bP\x1b]52;c;eA==\x07\x1b\\"


def test_what_is_too_long_for_a_terminal_does_not_go_there() -> None:
    assert osc52("x" * (MOST // 4 * 3), {}) is not None
    assert osc52("x" * (MOST // 4 * 3 + 1), {}) is None


def test_a_copy_is_its_owners_alone(tmp_path: Path) -> None:
    path = write_copy(tmp_path / "copies", "copy.txt", "a row")
    assert path.read_text() == "a row"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_crash_report_says_where_it_broke_and_what_was_done_before(tmp_path: Path) -> None:
    try:
        raise RuntimeError("out of cheese")
    except RuntimeError as error:
        path = report(error, ["down", "open"], tmp_path, NOW)
    text = path.read_text()
    assert path.name == "tui-crash-20261126-143000.txt"
    for words in ("out of cheese", "last actions: down, open", "textual", "test_copies.py"):
        assert words in text
