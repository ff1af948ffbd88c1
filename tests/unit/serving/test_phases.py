"""A version on its way into service: what the daemon tells of it, and what a person reads."""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from contextlib import suppress

from daemon.phases import Phases
from pipeline.serving.pressing import _last_line
from store.wire import IntoServiceView, PhaseView
from tui.intoservice import Told
from tui.rows.phases import phases as lines
from tui.text import plain


class Watch:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_before_the_first_version_there_is_nothing_to_tell() -> None:
    phases = Phases(Watch())
    view = phases.view(after=-1, wait=0.0)
    assert (view.number, view.model, view.under_way, view.phases) == (0, None, False, [])
    assert phases.sentence is None


def test_each_phase_lasts_until_the_next_one_begins_and_the_last_until_the_end() -> None:
    watch = Watch()
    phases = Phases(watch)
    with phases.of("late", 2):
        for phase, until in (("start", 4.0), ("verify", 4.5), ("load", 6.0)):
            phases.enter(phase)
            watch.seconds = until
        assert phases.sentence == "late 2: every process loads it, warms it and compares the golden rows itself"
        assert phases.view(after=-1, wait=0.0).under_way
    watch.seconds = 100.0
    view = phases.view(after=-1, wait=0.0)
    assert [(one.phase, one.seconds) for one in view.phases] == [("start", 4.0), ("verify", 0.5), ("load", 1.5)]
    assert (view.model, view.version, view.under_way) == ("late", 2, False)
    assert phases.sentence is None


def test_a_version_that_is_refused_ends_its_phases_too() -> None:
    phases = Phases(Watch())
    with suppress(ValueError), phases.of("late", 2):
        phases.enter("golden")
        raise ValueError("golden")
    assert not phases.view(after=-1, wait=0.0).under_way


def test_who_waits_hears_of_the_next_phase_at_once() -> None:
    phases = Phases(Watch())
    heard: list[IntoServiceView] = []
    with phases.of("late", 2):
        seen = phases.view(after=-1, wait=0.0).number
        waiting = threading.Thread(target=lambda: heard.append(phases.view(after=seen, wait=30.0)))
        waiting.start()
        phases.enter("compile")
        waiting.join(10.0)
    assert [one.phase for one in heard[0].phases] == ["compile"]


def test_a_phase_of_a_later_release_is_passed_over() -> None:
    phases = Phases(Watch())
    with phases.of("late", 2):
        phases.enter("polish")
        assert phases.view(after=-1, wait=0.0).phases == []


def test_the_last_line_of_the_press_is_its_answer_and_the_others_are_phases() -> None:
    said = [{"phase": "verify"}, {"phase": "compile"}, {"compiled": 5}]
    script = f"for line in {[json.dumps(one) for one in said]!r}: print(line, flush=True)"
    heard: list[str] = []

    async def run() -> bytes:
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", script, stdout=asyncio.subprocess.PIPE)
        return await _last_line(process, heard.append)

    assert json.loads(asyncio.run(run())) == {"compiled": 5}
    assert heard == ["verify", "compile"]


def view(number: int, *seconds: float, model: str = "late", under_way: bool = True) -> IntoServiceView:
    names = ("start", "verify", "compile")
    found = [PhaseView.model_validate({"phase": name, "seconds": s}) for name, s in zip(names, seconds, strict=False)]
    return IntoServiceView(number=number, model=model, version=2, under_way=under_way, phases=found)


def test_in_a_shell_a_phase_is_a_line_when_it_begins_with_the_time_since_the_beginning() -> None:
    heard: list[str] = []
    told = Told("late", 2, 3, heard.append)
    told.hear(view(3, 9.0))  # of before
    told.hear(view(4, 0.1))
    told.hear(view(7, 4.0, 0.5, 0.1))
    told.hear(view(7, 4.0, 0.5, 0.1))
    told.hear(view(9, 1.0, 1.0, 1.0, model="rain"))
    assert heard == [
        "    0.0 s  a process that can compile is started",
        "    4.0 s  its files are verified",
        "    4.5 s  its programs are compiled, one for each batch size",
    ]


def test_in_a_box_what_is_over_has_its_time_and_what_goes_on_has_none_that_ticks() -> None:
    assert (
        plain(lines(view(4, 4.0, 0.5)))
        == "✔  4.0s a process that can compile is started\n…       its files are verified"
    )
    assert plain(lines(view(5, 4.0, 0.5, under_way=False))).splitlines()[1] == "✔  0.5s its files are verified"
