"""`T`: how a job is to run now; and `F`: for which times a schedule is to be backfilled."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Checkbox, Input, Static

from tui.box import Box
from tui.failure import Failure, Usage
from tui.moments import read_moment
from tui.overrides import settings, split
from tui.proposals.jobs import Wish


class AskWish(Box[Wish]):
    """Settings, upstream and force for one run; None when it was closed."""

    def __init__(self, job: str) -> None:
        super().__init__(classes="-small")
        self._job = job

    def compose(self) -> ComposeResult:
        yield Static(f"Run {self._job} now", classes="box-title")
        yield _field("settings", "other settings: training.epochs=5 seed=7")
        yield _Choice("bring upstream up to date first", id="upstream", compact=True)
        yield _Choice("run even if nothing changed", id="force", compact=True)
        yield Static("", classes="box-said", markup=False)
        yield Static("Enter shows the plan, Tab and Space choose, Esc closes", classes="dim")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.go_on()

    def go_on(self) -> None:
        """Closes with what was chosen, or says what cannot be read."""
        try:
            words = split(self.query_one(Input).value)
            settings(words)
        except Usage as failure:
            _say(self, failure)
            return
        upstream, force = (self.query_one(f"#{name}", Checkbox).value for name in ("upstream", "force"))
        self.close(Wish(settings=words, upstream=upstream, force=force))


class _Choice(Checkbox, inherit_bindings=False):
    """Space changes it; Enter goes on, as it does in a field."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "toggle_button", show=False),
        Binding("enter", "go_on", show=False),
    ]

    @property
    def BUTTON_INNER(self) -> str:  # type: ignore[override]  # Textual's has the X always, and tells by its colour alone
        return "X" if self.value else " "

    def action_go_on(self) -> None:
        self.query_ancestor(AskWish).go_on()


class AskSpan(Box[tuple[datetime, datetime]]):
    """From when to when; None when it was closed."""

    def __init__(self, schedule: str) -> None:
        super().__init__(classes="-small")
        self._schedule = schedule

    def compose(self) -> ComposeResult:
        yield Static(f"Backfill schedule {self._schedule}", classes="box-title")
        yield _field("start", "from: 7d   2026-11-01   2026-11-01 06:00")
        yield _field("end", "to: now, if nothing is written")
        yield Static("", classes="box-said", markup=False)
        yield Static("Enter shows which times would run; Esc closes", classes="dim")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        start, end = (self.query_one(f"#{name}", Input) for name in ("start", "end"))
        now, zone = self.shed.now(), self.shed.frame.zone
        try:
            first = read_moment(start.value, now, zone)
            last = read_moment(end.value, now, zone) if end.value.strip() not in {"", "now"} else now
        except Failure as failure:
            _say(self, failure)
            return
        if first >= last:
            _say(self, Usage("the span ends before it begins", remedy="write the earlier time first"))
            return
        self.close((first, last))


def _say(box: Box[Any], failure: Failure) -> None:
    box.query_one(".box-said", Static).update(f"✘ {failure.what} → {failure.remedy}")


def _field(id: str, placeholder: str) -> Input:
    field = Input(placeholder=placeholder, id=id, compact=True)
    field.cursor_blink = False
    return field
