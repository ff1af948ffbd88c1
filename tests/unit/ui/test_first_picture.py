"""The first picture shows what the Overview then shows, in the same places, and loads nothing for it."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import threading
from datetime import UTC
from pathlib import Path

import pytest

from tests.unit.ui.acting import settle, shown
from tests.unit.ui.conftest import MakeApp, Served
from tests.unit.ui.moments import NOW
from tui.firstpicture import ENTER, paint

HEAVY = {"jax", "flax", "orbax", "sqlmodel", "sqlalchemy", "httpx", "numpy", "pyarrow", "polars"}


def text_of(picture: str) -> list[str]:
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", picture).split("\r\n")


@pytest.mark.parametrize("size", [(80, 24), (120, 30), (160, 45)], ids=str)
async def test_names_and_titles_stand_where_they_will_stand(
    make_app: MakeApp, shed: Served, size: tuple[int, int]
) -> None:
    first = text_of(paint(shed.socket, "shop@box", size, NOW, UTC, 10.0))
    async with make_app("overview").run_test(size=size) as pilot:
        await settle(pilot)
        then = shown(pilot).split("\n")
    for number, line in enumerate(first[1:], start=1):
        assert line[2:18].rstrip() == then[number][2:18].rstrip(), (number, line, then[number])
    assert first[0].rstrip() == then[0].rstrip()


def test_without_a_daemon_it_says_how_to_start_one(tmp_path: Path) -> None:
    text = "\n".join(text_of(paint(tmp_path / "no.sock", "shop@box", (80, 24), NOW, UTC)))
    assert "▲ no daemon" in text
    assert "trainshed up --detach" in text


def test_no_line_is_longer_than_the_terminal_and_there_are_not_more_of_them(shed: Served) -> None:
    for columns, lines in ((20, 5), (60, 20), (80, 24), (200, 60)):
        drawn = text_of(paint(shed.socket, "shop@box", (columns, lines), NOW, UTC))
        assert len(drawn) <= lines
        assert max(map(len, drawn)) <= columns


def test_what_a_run_has_said_does_not_command_the_terminal(shed: Served) -> None:
    picture = paint(shed.socket, "shop\x1b]0;pwned\x07@box", (80, 24), NOW, UTC).removeprefix(ENTER)
    assert "\x1b]" not in picture
    assert "\x07" not in picture


def loaded_by(code: str) -> set[str]:
    script = f"import sys; {code}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_the_first_picture_loads_nothing_but_the_standard_library() -> None:
    loaded = loaded_by("import tui.start, tui.firstpicture")
    assert not loaded & (HEAVY | {"textual", "rich", "pydantic", "typer"})


@pytest.mark.slow
def test_the_application_loads_none_of_the_heavy_libraries_before_its_first_picture() -> None:
    assert not loaded_by("import tui.app, tui.screens.overview, tui.screens.section") & (HEAVY | {"pydantic"})


def test_an_answer_of_another_release_leaves_an_empty_picture_and_not_a_traceback(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "old.sock"))
        listening.listen()
        old = threading.Thread(target=_answer_as_of_old, args=[listening])
        old.start()
        text = "\n".join(text_of(paint(tmp_path / "old.sock", "shop@box", (80, 24), NOW, UTC, 10.0)))
        old.join()
    assert "… asking" in text


def _answer_as_of_old(listening: socket.socket) -> None:
    caller, _ = listening.accept()
    with caller:
        caller.recv(65_536)
        caller.sendall(b'HTTP/1.0 200 OK\r\n\r\n{"needs_you": [{"subject": "run 1", "message": "failed"}]}')
