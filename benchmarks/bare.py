"""The smallest Textual application that looks like one: what `benchmarks/tui.py` measures ours against."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.widgets import Footer, Header, Static


class Bare(App[None]):
    def compose(self) -> ComposeResult:
        yield Header()
        yield Static("bare and ready")
        yield Footer()


if __name__ == "__main__":
    Bare().run()
