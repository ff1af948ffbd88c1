"""How the demo tells its story: alive on a terminal, plain in a pipe."""

from __future__ import annotations

from io import StringIO

from rich.console import Console

from tui.demo.show import Show


def told(*, terminal: bool) -> str:
    out = StringIO()
    with Show(Console(file=out, force_terminal=terminal, width=40)).alive(lambda: "1,204 requests, " + "v1 " * 40):
        pass
    return out.getvalue()


def test_a_line_that_lives_fits_the_terminal_and_is_gone_at_the_end() -> None:
    drawn = told(terminal=True)
    assert "  1,204 requests, v1 v1 v1 v1 v1 v1 v1 …" in drawn
    assert drawn.endswith("\x1b[2K")


def test_a_pipe_gets_no_line_that_lives() -> None:
    assert told(terminal=False) == ""
