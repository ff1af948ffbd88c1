"""`W`: which shares versions get; `C` and `H`: which version goes up by stages, or gets copies; `X`: an experiment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, Literal

from textual.app import ComposeResult
from textual.widgets import Input, Static

from tui.box import Box
from tui.failure import Failure, Usage
from tui.rows.traffic import versions_of
from tui.shares import share_of, shares_of

if TYPE_CHECKING:
    from store.wire import TrafficChange
    from tui.rows.serving import Endpoint


_SETTINGS: Final = ("metric", "better", "share", "window", "guardrail", "least_units", "least_time", "longest", "alpha")
_EXAMPLE: Final = "3 correct window=2d share=50% guardrail=errors=0.01"


class _Ask(Box["TrafficChange"]):
    """A line to type into; closes with the change that it means, or with None."""

    title_here: str
    example: str
    way = "Enter shows the plan; Esc closes"

    def __init__(self, endpoint: Endpoint) -> None:
        super().__init__(classes="-small")
        self.model = endpoint.model
        self._now = versions_of(endpoint.view.arms) if endpoint.view is not None else ""

    def compose(self) -> ComposeResult:
        yield Static(f"{self.title_here} {self.model}", classes="box-title")
        yield Static(f"now: {self._now or 'not known'}", classes="dim", markup=False)
        field = Input(placeholder=self.example, compact=True)
        field.cursor_blink = False
        yield field
        yield Static("", classes="box-said", markup=False)
        yield Static(self.way, classes="dim", markup=False)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        try:
            change = self.read(event.value.split())
        except Failure as failure:
            self.query_one(".box-said", Static).update(f"✘ {failure.what} → {failure.remedy}")
            return
        self.close(change)

    def read(self, words: list[str]) -> TrafficChange:
        """Raises Usage."""
        raise NotImplementedError


class AskShares(_Ask):
    title_here = "Shares of the units of"
    example = "3=10%   or   stop"
    way = "The rest is production's. Enter shows the plan; Esc closes"

    def read(self, words: list[str]) -> TrafficChange:
        from store.wire import TrafficChange

        if words == ["stop"]:
            return TrafficChange(do="stop", kind="weights")
        if not words:
            raise Usage("nothing was written", remedy="3=10% gives version 3 a tenth; stop ends it")
        return TrafficChange(do="weights", shares=shares_of(words))


class AskVersion(_Ask):
    """`do`: a canary, which goes up by stages, or a shadow, of which a share may be said as well."""

    def __init__(self, endpoint: Endpoint, do: Literal["canary", "shadow"]) -> None:
        super().__init__(endpoint)
        self._do = do
        self.title_here = "A canary of" if do == "canary" else "A shadow of"
        self.example = "a version: 3" if do == "canary" else "a version: 3   and of the requests: 3 10%"

    def read(self, words: list[str]) -> TrafficChange:
        from store.wire import TrafficChange

        most = 1 if self._do == "canary" else 2
        if not 1 <= len(words) <= most or not words[0].lstrip("v").isdecimal():
            raise Usage("a version is needed", remedy="write its number: 3")
        version = int(words[0].lstrip("v"))
        if self._do == "canary":
            return TrafficChange(do="canary", version=version)
        return TrafficChange(do="shadow", version=version, share=share_of(words[1]) if len(words) == 2 else 1.0)


class AskExperiment(_Ask):
    """One of the project file by its name, or a version, what decides, and settings."""

    title_here = "An experiment of"
    example = _EXAMPLE

    def __init__(self, endpoint: Endpoint, defined: Sequence[str]) -> None:
        """`defined`: by the project file."""
        super().__init__(endpoint)
        if defined:
            self.example = f"{defined[0]}   or   {_EXAMPLE}"
            self.way = f"Of the project file: {', '.join(defined)}. Enter shows the plan; Esc closes"

    def read(self, words: list[str]) -> TrafficChange:
        from store.wire import TrafficChange

        first, *rest = words or [""]
        if not first.lstrip("v").isdecimal():
            if not first or rest:
                raise Usage("which experiment?", remedy=f"write a name of the project file, or: {_EXAMPLE}")
            return TrafficChange(do="experiment", name=_named(first))
        settings: dict[str, Any] = {}
        for number, word in enumerate(rest):
            key, equals, value = word.partition("=")
            if not equals and number == 0:
                key, value = "metric", word
            _set(settings, key, value)
        version = int(first.lstrip("v"))
        return TrafficChange(do="experiment", name=f"{self.model}_{version}", version=version, settings=settings)


def _named(word: str) -> str:
    if not all(letter.islower() or letter.isdecimal() or letter == "_" for letter in word):
        raise Usage(f"{word!r} is no name of an experiment", remedy="names are small letters, digits and _")
    return word


def _set(settings: dict[str, Any], key: str, value: str) -> None:
    """Raises Usage. What a setting may be is the daemon's to say, but for what has another form here."""
    if key not in _SETTINGS or not value:
        raise Usage(f"{key!r} is no setting", remedy=f"write NAME=VALUE; there are: {', '.join(_SETTINGS)}")
    if key == "guardrail":
        metric, _, margin = value.partition("=")
        try:
            settings.setdefault("guardrails", []).append({"metric": metric, "margin": float(margin)})
        except ValueError:
            raise Usage(f"{value!r} is no METRIC=MARGIN", remedy="write guardrail=errors=0.01") from None
    elif key == "share":
        settings[key] = share_of(value)
    else:
        settings[key] = value
