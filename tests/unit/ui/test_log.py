"""A log on screen: its end at once whatever its size, followed, searched, without anything that acts on a terminal."""

from __future__ import annotations

import signal
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input

from store import lifecycle
from tests.unit.ui.acting import press, settle, shown, until
from tests.unit.ui.conftest import MakeApp, Served
from tests.unit.ui.history import LIVING
from tui.log.needle import hits, ignores_case
from tui.log.pager import _left_alone, feed
from tui.log.parts import cut
from tui.log.piece import Chunk
from tui.log.view import LogView
from tui.screens.log import LogScreen


async def test_the_end_is_shown_and_what_is_added_follows(make_app: MakeApp, shed: Served) -> None:
    app = make_app("runs")
    async with app.run_test(size=(100, 20)) as pilot:
        await settle(pilot)
        app.open("log", str(LIVING))
        await settle(pilot)
        assert "step  1400" in shown(pilot)
        with shed.home.attempt(LIVING, 2).stdout.open("a") as log:
            log.write("and one more\n")
        await until(lambda: "and one more" in shown(pilot), "the log did not follow")


async def test_a_search_goes_back_from_the_end_and_on_with_n_and_capital_n(make_app: MakeApp) -> None:
    app = make_app("runs")
    async with app.run_test(size=(100, 20)) as pilot:
        await settle(pilot)
        app.open("log", str(LIVING))
        await settle(pilot)
        await press(pilot, "slash", *"17 ", "enter")
        view = pilot.app.screen.query_one(LogView)
        assert not view.following
        assert "step  1317 " in shown(pilot)
        await press(pilot, "N")
        assert "step  1217 " in shown(pilot)
        await press(pilot, "n", "n", "n")
        assert "17  does not stand after this place" in shown(pilot)


async def test_a_pattern_is_searched_and_a_broken_one_told_in_its_place(make_app: MakeApp) -> None:
    app = make_app("runs")
    async with app.run_test(size=(100, 20)) as pilot:
        await settle(pilot)
        app.open("log", str(LIVING))
        await settle(pilot)
        await _type(pilot, r"re:step\s+1(1|2)17\b")
        assert "step  1217 " in shown(pilot)
        await press(pilot, "N")
        assert "step  1117 " in shown(pilot)
        await _type(pilot, "re:loss (")
        assert "pattern: loss ( cannot be read: missing )" in shown(pilot)
        assert "such as loss=(nan|inf)" in shown(pilot)


async def _type(pilot: Any, text: str) -> None:
    await press(pilot, "slash")
    pilot.app.screen.query_one(Input).value = text
    await press(pilot, "enter")
    await settle(pilot)


def test_the_places_of_a_pattern_are_shown_and_none_of_a_broken_one() -> None:
    assert hits("an Error, an error", "re:err.r") == [(3, 8), (13, 18)]
    assert hits("an Error, an error", r"re:\bE\S+r") == [(3, 8)]
    assert hits("an Error", "re:(") == []
    assert ignores_case(r"re:\S+\D")
    assert not ignores_case("re:Loss")


async def test_nothing_that_was_printed_acts_on_the_terminal(make_app: MakeApp) -> None:
    app = make_app("runs")
    async with app.run_test(size=(100, 20)) as pilot:
        await settle(pilot)
        app.open("log", str(LIVING))
        await settle(pilot)
        await press(pilot, "e")
        await settle(pilot)
        view = pilot.app.screen.query_one(LogView)
        strips = [view.render_line(y) for y in range(view.size.height)]
        assert all(segment.text.isprintable() for strip in strips for segment in strip)
        assert "␛]0;pwned␇" in shown(pilot)
        assert "WARNING" in shown(pilot)


async def test_an_earlier_try_has_its_own_log(make_app: MakeApp) -> None:
    app = make_app("runs")
    async with app.run_test(size=(100, 20)) as pilot:
        await settle(pilot)
        app.open("log", str(LIVING))
        await settle(pilot)
        await press(pilot, "t")
        await settle(pilot)
        assert "try 1 of 2" in shown(pilot)
        assert "step     1 loss 0.6931" in shown(pilot)


def _tried_again(shed: Served) -> None:
    """The try that lives is lost, and a third begins."""
    reason = "its process is gone"
    with shed.record.transaction() as tx:
        lifecycle.settle(tx, LIVING, "lost", reason=reason, retry_at=tx.now, exit_code=None, signal=9, cpu_s=1.0)
    with shed.record.transaction() as tx:
        lifecycle.start_attempt(tx, LIVING, "n" * 32)
    shed.home.attempt(LIVING, 3).root.mkdir(parents=True, exist_ok=True)
    shed.home.attempt(LIVING, 3).stdout.write_text("the third try begins\n")


async def test_who_follows_a_run_that_is_tried_again_goes_along_with_it(make_app: MakeApp, shed: Served) -> None:
    """The log of the new try was read from where the old one had ended: its beginning was never shown."""
    app = make_app("runs")
    async with app.run_test(size=(100, 20)) as pilot:
        await settle(pilot)
        app.open("log", str(LIVING))
        await settle(pilot)
        _tried_again(shed)
        await until(lambda: "the third try begins" in shown(pilot))
        assert "try 3 of 3" in shown(pilot)
        assert "try 3 has begun; t shows the one before" in shown(pilot)


async def test_who_reads_in_the_log_of_a_try_stays_in_it(make_app: MakeApp, shed: Served) -> None:
    app = make_app("runs")
    async with app.run_test(size=(100, 20)) as pilot:
        await settle(pilot)
        app.open("log", str(LIVING))
        await settle(pilot)
        await press(pilot, "g")
        _tried_again(shed)
        await until(lambda: "try 3 has begun; this is the log of try 2" in shown(pilot))
        assert "try 2 of 3" in shown(pilot)
        assert "the third try begins" not in shown(pilot)


async def test_where_the_size_cap_has_let_go_of_what_comes_next_it_goes_on_with_what_is_left(make_app: MakeApp) -> None:
    """The bytes behind the end of what was here were gone: they were asked for again and again, at full speed."""
    app = make_app("runs")
    async with app.run_test(size=(100, 20)) as pilot:
        await settle(pilot)
        app.open("log", str(LIVING))
        await settle(pilot)
        await press(pilot, "g")
        view = pilot.app.screen.query_one(LogView)
        far = view.piece.end + 5_000
        asked: list[str] = []
        view.shed.ask = lambda group, *_, **__: asked.append(group)  # type: ignore[method-assign]
        view._behind(view._era, Chunk("what is left\n", far, far + 13, far + 13, far))
        assert view.in_view == ["what is left"]
        assert not [group for group in asked if group.endswith("behind")]


async def test_a_gigabyte_opens_at_once_and_reads_pieces_as_it_is_scrolled(make_app: MakeApp, shed: Served) -> None:
    file = shed.home.attempt(LIVING, 2).stdout
    with file.open("r+b") as log:  # sparse: the middle is zeros that were never written
        log.truncate(1_000_000_000)
        log.seek(1_000_000_000)
        log.write(b"\n" + b"".join(b"late line %07d\n" % n for n in range(60_000)))
    app = make_app("runs")
    async with app.run_test(size=(100, 20)) as pilot:
        await settle(pilot)
        began = time.monotonic()
        app.open("log", str(LIVING))
        await settle(pilot)
        await until(lambda: "late line 0059999" in shown(pilot))
        assert time.monotonic() - began < 10  # a gigabyte read whole would take longer
        view = pilot.app.screen.query_one(LogView)
        await press(pilot, *["pageup"] * 3, "g")
        await settle(pilot)
        assert "step     1 " in shown(pilot)
        assert len(view.piece.lines) <= 6_000


async def test_wrapped_lines_are_all_there(make_app: MakeApp, shed: Served) -> None:
    shed.home.attempt(LIVING, 2).stdout.write_text("x" * 150 + "end\n")
    app = make_app("runs")
    async with app.run_test(size=(100, 20)) as pilot:
        await settle(pilot)
        app.open("log", str(LIVING))
        await settle(pilot)
        assert "end" not in shown(pilot)
        await press(pilot, "w")
        assert "xxxend" in shown(pilot)


async def test_a_run_that_printed_nothing_says_so(make_app: MakeApp) -> None:
    app = make_app("runs")
    async with app.run_test(size=(100, 20)) as pilot:
        await settle(pilot)
        app.open("log", "5")
        await settle(pilot)
        assert isinstance(pilot.app.screen, LogScreen)
        assert "nothing was printed" in shown(pilot)


def test_a_pager_reads_harmless_text_and_may_leave_early(tmp_path: Path) -> None:
    out = tmp_path / "paged"
    feed(
        [sys.executable, "-c", f"import sys; open({str(out)!r}, 'w').write(sys.stdin.read())"],
        iter(["a\x1b[2", "J\nb"]),
    )
    assert out.read_text() == "a␛[2J\nb"
    feed([sys.executable, "-c", "pass"], iter(["a\n" * 100_000] * 5))


def test_ctrl_c_is_the_pagers_and_does_not_end_the_ui(tmp_path: Path) -> None:
    out = tmp_path / "handler"
    asks = f"import signal; open({str(out)!r}, 'w').write(signal.getsignal(signal.SIGINT).__name__)"
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever starts tests may have it ignored
    try:
        with _left_alone():
            signal.raise_signal(signal.SIGINT)
            feed([sys.executable, "-c", asks], iter([]))
        assert out.read_text() == "default_int_handler", "the pager has its own"
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)


def test_hits_are_cut_out_of_a_line() -> None:
    assert hits("an Error, an error", "error") == [(3, 8), (13, 18)]
    assert hits("an Error, an error", "Error") == [(3, 8)]
    assert cut("abcdef", 10, [(12, 14)]) == [("ab", False), ("cd", True), ("ef", False)]
    assert cut("abc", 0, []) == [("abc", False)]
