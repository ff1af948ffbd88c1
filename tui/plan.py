"""The plan box: what would happen, before it happens. Cancel has the focus; the daemon checks the plan again.

Two tiers. What can be taken back and does not touch production: `y`, then Enter, so that no two keys struck by mistake
change anything. What touches production: its name, typed.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Input, Static

from tui.box import Box
from tui.rows.phases import phases
from tui.text import Lines, content
from tui.themes import STYLES

if TYPE_CHECKING:
    from store.wire import IntoServiceView
    from tui.client import Client
    from tui.failure import Failure


_SHARE: Final = 0.9
"""Of the screen's height, for the box."""
_LEAST_LINES: Final = 3
_PHASE_SECONDS: Final = 1.0
"""How long one question for the next phase waits."""


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """Something that would change the shed."""

    title: str
    lines: Lines
    """What would change, the evidence, what to expect, how to undo it."""
    command: str
    """The shell command that does the same, without a reason."""
    commit: Callable[[Client, str], str]
    """Does it, with the reason that was given; returns what to say. Called in a thread. Raises Failure."""
    typed: str | None = None
    """What has to be typed, where `y` is not enough."""
    reason: str | None = None
    """What a reason is asked for; None: none is asked for."""
    reason_option: str = "--reason"
    """What the shell command calls it."""
    reason_needed: bool = False
    forbidden: str = ""
    """Why it cannot be done at all."""
    again: Callable[[Client], Proposal] | None = None
    """Makes the plan anew, where it may have been overtaken. Called in a thread. Raises Failure."""
    in_phases: bool = False
    """Whether the daemon tells of the version on its way into service while it is being done."""
    undo: Callable[[Client], Proposal] | None = None
    """The plan of taking it back, once it is done. Called in a thread. Raises Failure."""

    def command_with(self, reason: str) -> str:
        """The shell command with what was typed."""
        return f"{self.command} {self.reason_option} {shlex.quote(reason)}" if reason else self.command


class PlanBox(Box[bool]):
    """Shows a proposal; closes with True when it was carried out."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "arm", "yes", id="plan.arm"),
        Binding("r", "again", "plan anew", id="plan.again"),
        Binding("down,j", "scroll(1)", show=False),
        Binding("up,k", "scroll(-1)", show=False),
        Binding("pagedown", "scroll(10)", show=False),
        Binding("pageup", "scroll(-10)", show=False),
    ]

    def __init__(self, proposal: Proposal) -> None:
        super().__init__(id="plan")
        self.proposal = proposal
        self._under_way = False

    def compose(self) -> ComposeResult:
        proposal = self.proposal
        yield Static(Content.assemble((proposal.title, "bold")), id="plan-title")
        with VerticalScroll(id="plan-lines", can_focus=False):
            yield Static(content(proposal.lines))
        yield Static(self._command(), id="plan-command")
        if proposal.forbidden:
            yield Static(Content.assemble((f"✘ {proposal.forbidden}", STYLES["bad"])))
        else:
            yield from self._inputs()
        yield Static("", id="plan-said")
        with Horizontal(id="plan-buttons"):
            yield Button("Cancel", id="cancel", compact=True)
            if self._by_key:
                yield Button("Do it", id="do", compact=True)
            yield Static(self._way())

    @property
    def _by_key(self) -> bool:
        """Whether a button is enough."""
        return self.proposal.typed is None and not self.proposal.forbidden

    @property
    def _made(self) -> bool:
        """Its parts are there. One that is being taken away, or made anew, hears answers and sizes without them."""
        return bool(self.query("#plan-buttons"))

    def focus_first(self) -> None:
        if self._made:
            self.screen.set_focus(self.query_one("#cancel"))

    def on_resize(self) -> None:
        """The lines scroll; what is said, typed and pressed is always there, however low the screen."""
        if not self._made:
            return
        lines = self.query_one("#plan-lines")
        others = sum(one.outer_size.height + one.styles.margin.height for one in self.children if one is not lines)
        room = int(self.screen.size.height * _SHARE) - self.gutter.height - others
        lines.styles.max_height = max(_LEAST_LINES, room)

    def _inputs(self) -> ComposeResult:
        if self.proposal.reason is not None:
            yield _field("reason", self.proposal.reason)
        if self.proposal.typed is not None:
            yield _field("typed", f"type {self.proposal.typed} to confirm")

    def _way(self) -> Content:
        """How to say yes."""
        if self.proposal.forbidden:
            return Content("  this cannot be done")
        if self.proposal.typed is None:
            return Content.assemble("  ", ("y", STYLES["key"]), ", then ", ("Enter", STYLES["key"]))
        tabs = "Tab" if self.proposal.reason is None else "Tab Tab"
        return Content.assemble(
            "  ", (tabs, STYLES["key"]), f", type {self.proposal.typed}, ", ("Enter", STYLES["key"])
        )

    def _command(self, reason: str = "") -> Content:
        return Content.assemble((f"$ {self.proposal.command_with(reason)}", STYLES["dim"]))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only keys that do something here are told of."""
        if action == "arm":
            return self._by_key
        return action != "again" or self.proposal.again is not None

    def action_scroll(self, lines: int) -> None:
        self.query_one("#plan-lines", VerticalScroll).scroll_relative(y=lines, animate=False)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        event.stop()
        if event.button.id == "do":
            self._commit()
        else:
            self.close()

    def action_arm(self) -> None:
        """`y` outside a field: Enter would now do it, where that is enough."""
        if self._by_key:
            self.screen.set_focus(self.query_one("#do"))

    def action_again(self) -> None:
        """The plan as it would be now, in the place of this one."""
        if self.proposal.again is not None:
            self._say("… asking the daemon for the plan", "dim")
            self.shed.ask("plan", self.proposal.again, self._renewed, refused=self._refused)

    def _renewed(self, proposal: Proposal) -> None:
        self.proposal = proposal
        self.call_later(self._draw_anew)

    async def _draw_anew(self) -> None:
        if self.closing or not self.is_attached:
            return
        await self.recompose()
        self.call_after_refresh(self.on_resize)
        self.focus_first()

    def on_input_changed(self, event: Input.Changed) -> None:
        """The command carries the reason as it is typed."""
        event.stop()
        if event.input.id == "reason":
            self.query_one("#plan-command", Static).update(self._command(event.value.strip()))
            self.call_after_refresh(self.on_resize)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if event.input.id == "typed":
            self._commit()
        else:
            self.screen.set_focus(self.query_one("#do" if self._by_key else "#typed"))

    def _commit(self) -> None:
        proposal = self.proposal
        if proposal.forbidden or self.closing or self._under_way:
            return
        reason = self.query_one("#reason", Input).value.strip() if proposal.reason is not None else ""
        if proposal.typed is not None and self.query_one("#typed", Input).value != proposal.typed:
            self._say(f"✘ type {proposal.typed} to confirm, or Esc to cancel", "bad")
            return
        if proposal.reason_needed and not reason:
            self._say("✘ a reason is needed, and is shown for ever", "bad")
            return
        self._under_way = True  # a second Enter does not do it twice
        self._say("… asking the daemon", "dim")
        if proposal.in_phases:
            self.shed.ask("phases", lambda daemon: daemon.into_service(), self._follow, refused=lambda _: None)
        command = proposal.command_with(reason)
        self.shed.ask(
            "plan",
            lambda daemon: proposal.commit(daemon, reason),
            lambda sentence: self._done(sentence, command),
            refused=self._refused,
        )

    def _done(self, sentence: str, command: str) -> None:
        shed = self.shed
        shed.did(command, self.proposal.undo)
        self.close(True)
        shed.say(sentence, "good")

    def _refused(self, failure: Failure) -> None:
        """The daemon's no. Where the plan can be made anew, the fields lose the focus, so that `r` is a key again."""
        self._under_way = False
        if not self.is_attached or not self._made:  # it was closed while the daemon was at it
            self.shed.refuse(failure)
            return
        anew = ""
        if self.proposal.again is not None:
            self.focus_first()
            anew = "\n  r makes the plan anew"
        self._say(f"✘ {failure.what}\n  → {failure.remedy}{anew}", "bad")

    def _follow(self, seen: IntoServiceView, *, told: bool = False) -> None:
        """Shows the phases until it is done; what was going on before this was asked for is not ours."""
        if not self._under_way or not self.is_attached or not self._made:
            return
        if told and seen.under_way:
            self.query_one("#plan-said", Static).update(content(phases(seen)))
            self.call_after_refresh(self.on_resize)
        self.shed.ask(
            "phases",
            lambda daemon: daemon.into_service(after=seen.number, wait=_PHASE_SECONDS),
            lambda found: self._follow(found, told=True),
            refused=lambda _: None,  # what was asked for is refused as well, and says why
        )

    def _say(self, text: str, tone: str) -> None:
        self.call_after_refresh(self.on_resize)
        style = STYLES["bad" if tone == "bad" else "dim"]
        self.query_one("#plan-said", Static).update(Content.assemble((text, style)))


def _field(id: str, placeholder: str) -> Input:
    field = Input(placeholder=placeholder, id=id, compact=True)
    field.cursor_blink = False
    return field
