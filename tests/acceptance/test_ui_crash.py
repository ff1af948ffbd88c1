"""A fault of ours in the terminal UI, in a real terminal: it is given back, and a report is written."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

SCRIPT = """
import os, sys
from pathlib import Path
from tui.app import ShedApp
from tui.place import Place
from tui.ui import open_ui

def broken(self):
    raise RuntimeError("out of cheese")

ShedApp.action_reload = broken
folder = Path(sys.argv[1])
sys.exit(open_ui(Place(folder, folder / ".trainshed"), dict(os.environ)))
"""


def run_in_terminal(command: list[str], environ: dict[str, str], key: bytes, when: bytes) -> tuple[int, bytes]:
    """Exit code and everything that was written; `key` is pressed once `when` has been seen."""
    terminal, theirs = pty.openpty()
    program = subprocess.Popen(
        command, env=environ, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True, close_fds=True
    )
    os.close(theirs)
    written, pressed = b"", False
    last = time.monotonic() + 60
    while time.monotonic() < last:
        if select.select([terminal], [], [], 0.2)[0]:
            try:
                written += os.read(terminal, 1 << 16)
            except OSError:  # the other side is closed: the program has ended
                break
        if not pressed and when in written:
            os.write(terminal, key)
            pressed = True
    os.close(terminal)
    return program.wait(30), written


def test_a_fault_of_the_ui_gives_the_terminal_back_and_says_where_its_report_is(tmp_path: Path) -> None:
    environ = {
        "HOME": str(tmp_path),
        "PATH": os.environ["PATH"],
        "TERM": "xterm-256color",
        "XDG_STATE_HOME": str(tmp_path / "state"),
    }
    code, written = run_in_terminal(
        [sys.executable, "-P", "-c", SCRIPT, str(tmp_path)], environ, key=b"r", when=b"no daemon"
    )
    text = written.decode(errors="replace")
    assert code == 1
    assert "\x1b[?1049l" in text, "the screen of before is back"
    after = text.rpartition("\x1b[?1049l")[2]
    assert "the terminal UI failed; the daemon and its runs go on" in after
    assert "Traceback" not in text
    (report,) = (tmp_path / "state" / "trainshed").iterdir()
    assert str(report) in after
    assert "out of cheese" in report.read_text()
    assert "reload" in report.read_text()
