"""Boxes: what is asked or listed over a screen. A box is a widget on the layer above, not a screen of its own.

Pushing a screen lays out and paints every cell again; a box paints itself. While it is open it has the focus to
itself, and no key gets past it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, cast

from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widget import Widget

if TYPE_CHECKING:
    from tui.app import ShedApp

T = TypeVar("T")


class Box(Vertical, Generic[T]):
    """Closes with a result, or with None when it was left."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "close", id="box.leave"),
        # The screen's own do not get past the box.
        Binding("tab", "app.focus_next", show=False),
        Binding("shift+tab", "app.focus_previous", show=False),
    ]
    DEFAULT_CSS = """
    Box {
        width: 90vw; max-width: 88; height: auto; max-height: 90vh;
        background: $surface; border: solid $accent; padding: 0 1;
    }
    """
    is_modal = True  # Textual stops looking for bindings here

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.then: Callable[[T | None], object] = lambda _: None
        self.closing = False
        """Left already, though still to be seen: nothing that it offers is done any more."""
        self._before: Widget | None = None

    @property
    def shed(self) -> ShedApp:
        return cast("ShedApp", self.app)

    def on_mount(self) -> None:
        self._before = self.screen.focused
        self.trap_focus()
        self.focus_first()

    def focus_first(self) -> None:
        """What has the focus when the box opens: its first focusable widget, unless it knows better."""
        for widget in self.query("*").results(Widget):
            if widget.focusable:
                widget.focus()
                return

    def close(self, result: T | None = None) -> None:
        if not self.is_mounted or self.closing:
            return
        self.closing = True
        self.app.call_later(self._unmount, result)

    async def _unmount(self, result: T | None) -> None:
        before = self._before
        with self.app.batch_update():
            await self.remove()
            if before is not None and before.is_attached:
                before.screen.set_focus(before)
        self.then(result)

    def action_leave(self) -> None:
        self.close()


class Above(Vertical):
    """Where boxes open. It is always there, empty: a new sibling would make Textual paint every widget again."""

    DEFAULT_CSS = "Above { layer: above; width: auto; height: auto; }"


def open_box(box: Box[Any], over: Widget, then: Callable[[Any], object] = lambda _: None) -> None:
    """Puts a box over a screen; `then` hears the result, or None."""
    box.then = then
    over.app.call_later(_mount, box, over)


async def _mount(box: Box[Any], over: Widget) -> None:
    """All of a box in one picture: mounted, laid out and focused. A screen that is still being made gets none, and one
    that was given a box meanwhile no second.
    """
    if over.query(Box):
        return
    for above in over.query(Above):
        with over.app.batch_update():
            await above.mount(box)
