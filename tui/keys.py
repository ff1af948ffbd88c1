"""Every action of the terminal UI, as data: identity, key, label, meaning, and whether it is dangerous.

Bindings, the strip at the bottom, the `?` menu, the palette and docs/reference/keys.md all come from this list.
A dangerous action changes something outside the UI: it opens a plan, and does not exist under `--read-only`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

Scope = Literal[
    "everywhere",
    "screens",
    "panes",
    "list",
    "overview",
    "runs",
    "run",
    "compare",
    "log",
    "curves",
    "models",
    "data",
    "serving",
    "experiment",
    "drift",
    "alerts",
    "jobs",
    "system",
    "events",
    "plan",
]
TITLES: Final[Mapping[Scope, str]] = {
    "everywhere": "Everywhere",
    "screens": "Screens",
    "panes": "Panes",
    "list": "In every list",
    "overview": "Overview",
    "runs": "Runs",
    "run": "A run",
    "compare": "Runs side by side",
    "log": "A log",
    "curves": "Curves",
    "models": "Models and versions",
    "data": "Data",
    "serving": "Serving and endpoints",
    "experiment": "An experiment",
    "drift": "Drift and monitors",
    "alerts": "Alerts",
    "jobs": "Jobs and schedules",
    "system": "System",
    "events": "Events",
    "plan": "A plan",
}
"""What each scope is called in the reference."""


@dataclass(frozen=True, kw_only=True)
class Action:
    """`name` is the method `action_<name>`; `keys` as Textual writes them, the first is the one that is shown."""

    name: str
    keys: str
    label: str
    """One or two words, for the strip."""
    help: str
    """A sentence, for `?`, the palette and the reference."""
    scope: Scope
    dangerous: bool = False
    strip: bool = False
    """Whether it is shown at the bottom of the screen."""

    @property
    def id(self) -> str:
        """What a user's key file names it by: `runs.cancel`."""
        return f"{self.scope}.{self.name}"


def _everywhere(name: str, keys: str, label: str, help: str, strip: bool = False) -> Action:
    return Action(name=name, keys=keys, label=label, help=help, scope="everywhere", strip=strip)


def _list(name: str, keys: str, label: str, help: str, strip: bool = False) -> Action:
    return Action(name=name, keys=keys, label=label, help=help, scope="list", strip=strip)


def _acting(scope: Scope, name: str, keys: str, label: str, help: str, strip: bool = True) -> Action:
    return Action(name=name, keys=keys, label=label, help=help, scope=scope, dangerous=True, strip=strip)


def _looking(scope: Scope, name: str, keys: str, label: str, help: str, strip: bool = False) -> Action:
    return Action(name=name, keys=keys, label=label, help=help, scope=scope, strip=strip)


ACTIONS: Final[tuple[Action, ...]] = (
    _everywhere("command", "colon", "command", "Type a command: a screen, an object, a verb.", strip=True),
    _everywhere("actions", "question_mark", "actions", "What is possible here, to be chosen and run.", strip=True),
    _everywhere("command_palette", "ctrl+p", "palette", "Find any action, screen or theme by a few letters."),
    _everywhere("step_back", "escape,backspace", "back", "One step back: close, leave the filter, leave the past."),
    _everywhere("leave", "q", "leave", "One step back, and at the root out. The daemon goes on."),
    _everywhere("last_screen", "minus", "last", "The screen before this one."),
    _everywhere("replay", "ctrl+t", "replay", "Show the shed as it was at a time in the past."),
    _everywhere("earlier", "left_square_bracket", "earlier", "In the past: to the event before."),
    _everywhere("later", "right_square_bracket", "later", "In the past: to the event after."),
    _everywhere("hold", "p", "hold", "Hold the picture still, and let it go on."),
    _everywhere("why", "e", "events", "The events of what the cursor is on."),
    _everywhere("reload", "r", "reload", "Read everything on this screen again, and paint every cell."),
    _everywhere("maximise", "plus", "maximise", "The focused pane takes the whole screen, and back."),
    _everywhere("jump", "semicolon", "jump", "A letter on every pane: press it to go there."),
    _everywhere("copy", "y", "copy", "Copy the name of what the cursor is on."),
    _everywhere("copy_menu", "Y", "copy…", "Copy the row as JSON, the command, or the whole screen to a file."),
    _everywhere("commands", "at", "commands", "The shell commands that do what was done here."),
    _everywhere("mouse", "M", "mouse", "The mouse for the UI, or for the terminal's own selection."),
    _list("open", "enter", "open", "Open what the cursor is on.", strip=True),
    _list("filter", "slash", "filter", "Show only rows that match.", strip=True),
    _list("only_faults", "exclamation_mark", "faults", "Only what failed, and all again."),
    _list("down", "down,j", "down", "One row down."),
    _list("up", "up,k", "up", "One row up."),
    _list("page_down", "pagedown,ctrl+f", "page down", "One page down."),
    _list("page_up", "pageup", "page up", "One page up."),
    _list("half_down", "ctrl+d", "half down", "Half a page down."),
    _list("half_up", "ctrl+u", "half up", "Half a page up."),
    _list("top", "home,g", "top", "To the first row."),
    _list("bottom", "end,G", "bottom", "To the last row."),
    _list("left", "left", "left", "Scroll to the left."),
    _list("right", "right", "right", "Scroll to the right."),
    _list("column_left", "less_than_sign", "column ←", "Choose the column before, to sort by it or change its width."),
    _list(
        "column_right", "greater_than_sign", "column →", "Choose the next column, to sort by it or change its width."
    ),
    _list("narrower", "left_curly_bracket", "narrower", "Make the chosen column narrower."),
    _list("wider", "right_curly_bracket", "wider", "Make the chosen column wider."),
    _list("sort", "o", "sort", "Sort by the chosen column."),
    _list("reverse", "O", "reverse", "Sort the other way round."),
    _list("wide", "w", "columns", "More columns, and fewer."),
    _list("mark", "space", "mark", "Mark the row, and go on to the next."),
    _list("mark_range", "v", "range", "Mark from the last marked row to here."),
    _list("unmark", "u", "unmark", "Take all marks away."),
    _list("follow", "f", "follow", "Stay with the newest row."),
    _acting("overview", "retry", "R", "retry", "Try the failed run again, from its last checkpoint."),
    _acting("overview", "cancel", "K", "stop", "Ask the run to save and stop."),
    _acting("overview", "promote", "P", "promote", "Plan to make the version that waits production."),
    _acting("overview", "roll_back", "B", "roll back", "Plan to put the version before back into production."),
    _acting("overview", "pause", "S", "pause", "Pause the schedule, or let it go on."),
    _acting("overview", "trigger", "T", "run now", "Run the job now, with settings if wanted."),
    _acting("overview", "acknowledge", "A", "acknowledge", "Say that you know of the alert: nobody is reminded."),
    _looking("runs", "compare", "c", "compare", "Put the marked runs side by side.", strip=True),
    _looking("runs", "pin", "asterisk", "pin", "The run that others are compared with."),
    _looking("runs", "logs", "l", "logs", "What the run printed.", strip=True),
    _acting("runs", "cancel", "K", "stop", "Ask the run to save and stop."),
    _acting("runs", "retry", "R", "retry", "Try the ended run again, from its last checkpoint."),
    _looking(
        "run",
        "next_pane",
        "tab",
        "next pane",
        "The next pane: curves, facts, usage, events.",
        strip=True,
    ),
    _looking("run", "last_pane", "shift+tab", "pane before", "The pane before."),
    _looking("run", "logs", "l", "logs", "What the run printed.", strip=True),
    _looking("run", "lineage", "i", "lineage", "What it came after, and what it made.", strip=True),
    _acting("run", "cancel", "K", "stop", "Ask the run to save and stop."),
    _acting("run", "retry", "R", "retry", "Try the ended run again, from its last checkpoint."),
    _looking(
        "compare",
        "pin",
        "asterisk",
        "baseline",
        "The next run becomes the one that others are compared with.",
        strip=True,
    ),
    _looking(
        "compare",
        "everything",
        "d",
        "all rows",
        "Also what is the same in all runs, and only differences again.",
        strip=True,
    ),
    _looking("log", "search", "slash", "search", "Find a text in the log.", strip=True),
    _looking("log", "next_hit", "n", "next", "To the next hit.", strip=True),
    _looking("log", "last_hit", "N", "before", "To the hit before."),
    _looking("log", "wrap", "w", "wrap", "Break long lines, or cut them."),
    _looking("log", "stream", "e", "stderr", "The other stream: standard output or standard error.", strip=True),
    _looking("log", "pager", "x", "pager", "Read the log in $PAGER."),
    _looking("log", "follow", "f", "follow", "Stay at the end as it grows.", strip=True),
    _looking("log", "attempt", "t", "try", "What an earlier try printed."),
    _looking("log", "copy_lines", "y", "copy", "Copy the lines on screen."),
    _looking("log", "down", "down,j", "down", "One line down."),
    _looking("log", "up", "up,k", "up", "One line up."),
    _looking("log", "page_down", "pagedown,ctrl+f,space", "page down", "One page down."),
    _looking("log", "page_up", "pageup,ctrl+u", "page up", "One page up."),
    _looking("log", "top", "home,g", "top", "To the beginning of the log."),
    _looking("log", "bottom", "end,G", "bottom", "To the end of the log."),
    _looking("log", "left", "left", "left", "Scroll to the left."),
    _looking("log", "right", "right", "right", "Scroll to the right."),
    _looking("curves", "scale", "s", "log scale", "Logarithmic, or linear."),
    _looking("curves", "smooth", "m", "smooth", "Smooth the curves: not, a little, much."),
    _looking("curves", "axis", "t", "by time", "Along the steps, or along the time."),
    _looking("curves", "cross_left", "left", "value ←", "The crosshair to the left."),
    _looking("curves", "cross_right", "right", "value →", "The crosshair to the right."),
    _looking("curves", "more_series", "a", "series", "Choose what is drawn.", strip=True),
    _acting("screens", "undo", "Z", "undo", "Plan the inverse of what was done last, here.", strip=False),
    _looking(
        "panes", "next_pane", "tab", "next pane", "The next of the panes, and the first after the last.", strip=True
    ),
    _looking("panes", "last_pane", "shift+tab", "pane before", "The pane before, and the last before the first."),
    _acting("models", "promote", "P", "promote", "Plan to make the version production, and do it when confirmed."),
    _acting("models", "roll_back", "B", "roll back", "Plan to put the version before back into production."),
    _looking("models", "lineage", "i", "lineage", "Where it comes from, and where it serves."),
    _looking("data", "checks", "h", "checks", "What the checks found, with failing rows."),
    _acting("serving", "weights", "W", "weights", "Plan which version answers which share of the units."),
    _acting("serving", "canary", "C", "canary", "Plan to bring a version in by stages, or to end the canary."),
    _acting(
        "serving", "shadow", "H", "shadow", "Plan to give a version copies of requests, or to end that.", strip=False
    ),
    _acting(
        "serving",
        "experiment",
        "X",
        "experiment",
        "Plan to begin an experiment, or to end the one there is.",
        strip=False,
    ),
    _looking("serving", "open_experiment", "d", "experiment…", "The experiment: its interval over time, and why."),
    _acting("experiment", "experiment", "X", "begin/end", "Plan to begin the experiment, or to end it."),
    _acting("experiment", "promote", "P", "promote", "Plan to make the version that is tried production."),
    _acting("serving", "roll_back", "B", "roll back", "Plan to put the version before back into production."),
    _acting("serving", "switch", "S", "start/stop", "Plan to start what answers requests, or to stop it."),
    _looking("serving", "window", "h", "how far", "Look back ten minutes, an hour, six hours, two days.", strip=True),
    _acting("drift", "trigger", "T", "look now", "Run the monitor now, with settings if wanted."),
    _acting("drift", "pause", "S", "pause", "Pause the schedule by which it looks, or let it go on."),
    _looking("drift", "measure", "a", "measure", "Another measure of the column over time.", strip=True),
    _looking("drift", "window", "h", "how far", "Look back over fewer windows, or over more."),
    _looking(
        "drift",
        "older",
        "comma",
        "window ←",
        "Of one monitor: the window before, with its distribution, measures, accuracy and slices.",
        strip=True,
    ),
    _looking("drift", "newer", "full_stop", "window →", "Of one monitor: the window after, up to the newest."),
    _looking("drift", "its_run", "l", "run", "The run that looked last, with its log.", strip=True),
    _looking("drift", "its_version", "i", "version", "The version that is watched, or the dataset."),
    _looking("drift", "its_alerts", "x", "alerts", "The alerts that it has opened."),
    _looking("drift", "backtest", "b", "backtest", "How often it would have alarmed over the windows that are stored."),
    _acting("alerts", "acknowledge", "A", "acknowledge", "Say that you know of it: nobody is reminded any more."),
    _acting("alerts", "resolve", "R", "resolve", "Say that it is over; found again, it is opened again."),
    _looking("alerts", "source", "i", "monitor", "The monitor that found it.", strip=True),
    _acting("jobs", "trigger", "T", "run now", "Run the job now, with settings if wanted."),
    _acting("jobs", "pause", "S", "pause", "Pause the schedule, or let it go on."),
    _acting("jobs", "backfill", "F", "backfill", "Run the schedule for times that have passed."),
    _looking("system", "doctor", "d", "doctor", "Look at everything that the work depends on.", strip=True),
    _acting("system", "cancel", "K", "stop", "Ask the run of the process to save and stop."),
    _looking("plan", "arm", "y", "yes", "To the button that does what the plan says; Enter presses it."),
    _looking("plan", "again", "r", "plan anew", "Make the plan again, as things are now."),
)
"""In the order in which `?` shows them."""


def actions(*scopes: Scope) -> tuple[Action, ...]:
    """All actions of these scopes, in order."""
    return tuple(action for action in ACTIONS if action.scope in scopes)
