"""The table of screens: adding one is a file here and a line below."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tui.screens.base import ShedScreen


@dataclass(frozen=True)
class Entry:
    key: str
    mode: str
    aliases: tuple[str, ...]
    place: str
    """`module:Class`, imported when the screen is first opened."""

    def make(self) -> ShedScreen:
        return _load(self.place)()


SCREENS: Final[tuple[Entry, ...]] = (
    Entry("1", "overview", ("ov",), "tui.screens.overview:Overview"),
    Entry("2", "runs", ("r",), "tui.screens.runs:Runs"),
    Entry("3", "models", ("mo",), "tui.screens.models:Models"),
    Entry("4", "data", ("d",), "tui.screens.data:Data"),
    Entry("5", "serving", ("srv", "endpoints"), "tui.screens.serving:Serving"),
    Entry("6", "drift", ("dr", "monitors"), "tui.screens.drift:Drift"),
    Entry("7", "jobs", ("j", "schedules"), "tui.screens.jobs:Jobs"),
    Entry("8", "system", ("sys",), "tui.screens.system:System"),
    Entry("9", "events", ("ev",), "tui.screens.events:Events"),
    Entry("0", "alerts", ("al",), "tui.screens.alerts:Alerts"),
)

DETAILS: Final[Mapping[str, str]] = {
    "run": "tui.screens.run:RunScreen",
    "log": "tui.screens.log:LogScreen",
    "model": "tui.screens.versions:Versions",
    "version": "tui.screens.version:VersionScreen",
    "dataset": "tui.screens.dataset:DatasetScreen",
    "job": "tui.screens.job:JobScreen",
    "endpoint": "tui.screens.endpoint:EndpointScreen",
    "experiment": "tui.screens.experiment:ExperimentScreen",
    "schedule": "tui.screens.schedule:ScheduleScreen",
    "alert": "tui.screens.alert:AlertScreen",
    "monitor": "tui.screens.monitor:MonitorScreen",
}
"""Kind of object → the screen that shows one; its constructor takes the words that name it."""


def detail_screen(kind: str, *words: str) -> ShedScreen:
    """The screen of one object. Raises KeyError for a kind that has none."""
    return _load(DETAILS[kind])(*words)


def _load(place: str) -> type[ShedScreen]:
    module, _, name = place.partition(":")
    screen: type[ShedScreen] = getattr(import_module(module), name)
    return screen
