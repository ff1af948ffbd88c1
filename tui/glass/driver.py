"""The way to the terminal, as Textual's own, with what is known of the screen in between."""

from __future__ import annotations

from typing import Any

from textual._xterm_parser import XTermParser
from textual.driver import Driver
from textual.drivers.linux_driver import LinuxDriver

from tui.glass.glass import Glass
from tui.glass.listening import listen


class Sparing(Driver):
    """A driver that sends only what differs from what the terminal shows. Mix it into one that writes."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.glass = Glass()

    def write(self, data: str) -> None:
        sent = self.glass.write(data)
        if sent:
            super().write(sent)  # type: ignore[safe-super]  # the driver that this is mixed into


class SparingDriver(Sparing, LinuxDriver):
    """For a terminal on Linux."""

    def run_input_thread(self) -> None:
        listen(self.fileno, self.exit_event, XTermParser(self._debug), self.process_message)
