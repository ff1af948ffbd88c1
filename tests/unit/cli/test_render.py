from __future__ import annotations

import io
import re
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from rich.console import Group
from rich.text import Text

from store.wire import Fault, GateView, Interval, LoggedPrediction, PlanView, PredictionsView, RunView
from tui.draw.models import plan
from tui.draw.predictions import logged
from tui.draw.runs import run_table
from tui.render import ago, as_json, console, count, figure, interval, share, size, span, table

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def test_nothing_that_strangers_send_is_obeyed_by_the_terminal_or_taken_for_style() -> None:
    """A client's request id is shown as it came: it could write the terminal's title, or end the command."""
    hostile = "a\x1b]0;title\x07b[/c][red]d[/red]"
    shown = "a\ufffd]0;titleb[/c][red]d[/red]"  # rich leaves bells out
    for what in (hostile, Text(hostile, style="bold"), Group(Text(hostile))):
        assert drawn(what).strip() == shown
    said = drawn(table(["id", "why"], [[hostile, Text(hostile)]], empty=""))
    assert said.splitlines()[1].split() == [shown, shown]


def test_long_ids_of_clients_leave_room_for_what_else_is_known() -> None:
    asked = LoggedPrediction(
        request="r" * 3000,
        at=NOW,
        version=3,
        why="assigned",
        unit="u\nu" * 1000,
        epoch=1,
        latency_us=800,
        status=200,
        rows=1,
        inputs={"x": ["y\ny"]},
        outputs={"score": [0.5]},
    )
    view = PredictionsView(
        model="late", total=1, dropped=0, damaged=0, items=[asked], current=True, problem=None, table="t"
    )
    lines = drawn(logged(view)).splitlines()
    assert len(lines) == 3
    assert "r" * 35 in lines[1]
    assert len(lines[1].rstrip()) < 200
    assert "x=y y" in lines[1]


def run(**changes: object) -> RunView:
    facts: dict[str, object] = {
        "id": 12,
        "job": "train:late",
        "kind": "train",
        "target": "late",
        "state": "running",
        "trigger": "manual",
        "actor": "ana",
        "priority": 0,
        "pool": "default",
        "attempt": 1,
        "max_attempts": 3,
        "created_at": NOW - timedelta(minutes=5),
        "started_at": NOW - timedelta(minutes=4),
        "done": 300.0,
        "total": 1000.0,
        "unit": "steps",
        "eta_seconds": 90.0,
        "rev": 1,
    }
    return RunView.model_validate({**facts, **changes})


def drawn(renderable: object) -> str:
    out = io.StringIO()
    console(out).print(renderable)
    return out.getvalue()


def test_figures_are_said_in_words_for_people() -> None:
    assert [count(1234567), count(None)] == ["1,234,567", "-"]
    assert [figure(0.123456), figure(None)] == ["0.1235", "-"]
    assert [size(0), size(999), size(1_234_567), size(64_000_000_000), size(None)] == [
        "0 B",
        "999 B",
        "1.2 MB",
        "64.0 GB",
        "-",
    ]
    assert [span(0.25), span(42), span(200), span(12_000), span(200_000)] == [
        "0.2 s",
        "42 s",
        "3 min 20 s",
        "3 h 20 min",
        "2 d 7 h",
    ]
    assert share(0.0125) == "1.25 %"
    assert interval(Interval(value=0.7612, low=0.758, high=0.7644)) == "0.7612 [0.7580, 0.7644]"


def test_moments_are_told_by_their_distance() -> None:
    assert ago(NOW - timedelta(minutes=5), NOW) == "5 min ago"
    assert ago(NOW + timedelta(hours=2), NOW) == "in 2 h"
    assert ago(None, NOW) == "-"


@given(st.floats(min_value=0, max_value=1e9))
def test_every_duration_has_a_short_name(seconds: float) -> None:
    assert 3 <= len(span(seconds)) <= 12


@given(st.integers(min_value=0, max_value=10**15))
def test_every_size_has_a_short_name(number: int) -> None:
    assert 3 <= len(size(number)) <= 8


def test_a_state_is_never_told_by_colour_alone_and_a_pipe_gets_none() -> None:
    text = drawn(run_table([run()], NOW))
    assert "▶ running" in text
    assert "300/1,000 steps, 1 min 30 s left" in text
    assert "\x1b" not in text


def test_in_a_pipe_nothing_is_cut() -> None:
    reason = "because of " + "many words " * 30
    assert reason.strip() in drawn(run_table([run(state="failed", reason=reason)], NOW))


def test_a_plan_shows_gates_effects_and_how_to_undo() -> None:
    view = PlanView(
        model="late",
        alias="production",
        from_version=1,
        to_version=2,
        allowed=False,
        needs_override=True,
        gates=[GateView(gate="beats_baseline", outcome="fail", reason="0.61 is below 0.70", value=0.61, limit=0.7)],
        differences=[],
        signature_changes=[],
        effects=["production of late: version 1 → version 2"],
        warnings=[],
        undo="trainshed rollback late --to 1",
        token="t",
    )
    text = drawn(plan(view))
    for words in ("v1 → v2", "✘ fail", "0.61 is below 0.70", "trainshed rollback late --to 1", "--override"):
        assert words in text


def test_json_is_one_document_whatever_the_answer() -> None:
    fault = Fault(code="Bug", what="x")
    assert as_json(fault).startswith("{")
    assert as_json([fault, fault]).startswith("[")
    assert as_json([]) == "[]"
    assert as_json({"message": "x"}) == '{\n  "message": "x"\n}'


def test_a_figure_has_four_digits_and_a_whole_number_all_of_its_own() -> None:
    assert [figure(n) for n in (15326, 0.004782, 1234.5678, None)] == ["15,326", "0.004782", "1235", "-"]


def test_what_data_holds_commands_no_terminal() -> None:
    """A client's category `ESC [ 2 J`, told as a new word, cleared the screen of who read the alert."""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    file = Terminal()
    shown = console(file)
    shown.print(Text("new: \x1b]0;mine\x07\x1b[2J, ü\nnext line", style="red"))
    shown.print(run_table([run(target="a\x1b[2Jb", job="train:\x9b2J")], NOW))
    plain = re.sub(r"\x1b\[[0-9;]*m", "", file.getvalue())
    assert "new: \ufffd]0;mine\ufffd[2J, ü\nnext line" in plain
    assert all(letter.isprintable() or letter == "\n" for letter in plain)
