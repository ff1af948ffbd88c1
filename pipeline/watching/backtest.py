"""`python -P -m pipeline.watching.backtest HOME PROJECT MONITOR`: how often would a monitor have alarmed? JSON.

A program of its own, because the daemon that asks for it loads neither Arrow nor NumPy. It goes through the windows
that the record has, as if a look had followed each of them, from the profiles that are kept. On standard input it is
given what the record knows. `--set limits.psi=0.3` asks for other settings than those of the project file. The errors
are followed anew from the log, in the order in which they were asked, as if each label had come with its answer. Rows
themselves are looked at by `rowreplay`.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter

from pipeline.config import load_project
from pipeline.config.monitors import MonitorSection
from pipeline.config.references import nearest
from pipeline.config.watched import monitor_of
from pipeline.process.spec import KnownWindow, MonitorFacts
from pipeline.training.overrides import with_overrides
from pipeline.watching.closing import Full
from pipeline.watching.following import replayed
from pipeline.watching.held import Held, rules_of
from pipeline.watching.judged import shown_as
from pipeline.watching.measures import Measures, all_measures
from pipeline.watching.rowreplay import RowReplay
from pipeline.watching.subjects import Subject, subjects_of
from pipeline.watching.tables import Content
from pipeline.watching.verdict import Rules, decided
from pipeline.watching.windows import Window
from store.errors import ProjectError, TrainshedError
from store.home import Home
from store.times import from_us, us

_NICENESS: Final = 10
_KEYS: Final = ("limits", "measures", "least_rows", "windows", "needed", "columns", "leave_out", "performance")
"""Settings that a backtest can change: others would need other windows."""
Compared = dict[str, Measures]


@dataclass(frozen=True)
class Look:
    """After a window."""

    at_us: int
    """Its end."""
    known: bool
    """There was enough to say something."""
    drifted: dict[str, str]
    """Column, `rows` or `errors` → why."""


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser("pipeline.watching.backtest", description="How often would it have alarmed?")
    parser.add_argument("home", type=Path)
    parser.add_argument("project", type=Path)
    parser.add_argument("monitor")
    parser.add_argument("--since", type=int, default=0, help="microseconds since 1970 UTC; windows that end later")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="instead of the project's")
    asked = parser.parse_args(argv)
    with suppress(OSError):
        os.nice(_NICENESS)
    try:
        facts = TypeAdapter(MonitorFacts).validate_json(sys.stdin.read())
        before = monitor_of(load_project(asked.project), asked.monitor)
        section = with_overrides(before, _settings(asked.set))
        found = backtest(Home(asked.home), asked.monitor, section, facts, asked.since, before)
        print(json.dumps(found, allow_nan=False))
    except TrainshedError as error:
        print(json.dumps({"fault": {"what": error.what, "where": error.where, "remedy": error.remedy}}))
        return error.exit_code
    return 0


def backtest(
    home: Home,
    monitor: str,
    section: MonitorSection,
    facts: MonitorFacts,
    since_us: int,
    before: MonitorSection | None = None,
) -> dict[str, Any]:
    """What `store.wire.BacktestView` tells. `before`: the project's section, where `section` is another one.

    Raises NotFound, BundleDamaged, SchemaChanged.
    """
    span = None if section.span is None else us(section.span)
    windows = [one for one in facts.windows if one.end_us > since_us and span in (None, one.end_us - one.start_us)]
    now_us = max((one.end_us for one in windows), default=0)
    subjects = subjects_of(home, monitor, section, facts.versions, now_us)
    alarms: list[dict[str, Any]] = []
    looks: list[Look] = []
    notes: list[str] = []
    for subject in subjects:
        mine = [one for one in windows if one.version == subject.number]
        if mine:
            mine.sort(key=lambda one: one.end_us)
            full = [full_of(one) for one in mine]
            basis, tokens = subject.basis(full), [one.token for one in mine]
            rows = RowReplay(home, monitor, before or section, section, subject, basis, full, tokens)
            seen = list(_looks(home, subject, section, Held(section, basis, subject.number, full), rows))
            notes += rows.notes()
            alarms += [_alarm(subject.number, one) for one in _in_a_row(seen)]
            looks += seen
    told = {
        "monitor": monitor,
        "windows": len(looks),
        "judged": sum(one.known for one in looks),
        "alarmed": sum(bool(one.drifted) for one in looks),
        "since": _moment(min((one.start_us for one in windows), default=None)),
        "until": _moment(max((one.end_us for one in windows), default=None)),
        "alarms": sorted(alarms, key=lambda one: (one["at"], one["version"])),
        "notes": notes,
        "settings": {key: section.model_dump(mode="json")[key] for key in _KEYS},
    }
    return {**told, "sentence": _sentence(told)}


def _looks(home: Home, subject: Subject, section: MonitorSection, held: Held, rows: RowReplay) -> Iterator[Look]:
    """After each window of a version, oldest first."""
    erred, rules = replayed(home, section, subject, [one.window for one in held.windows]), rules_of(section)
    seen: list[Compared] = []
    for place, full in enumerate(held.windows):
        pair = held.compared(place)
        if pair is not None:
            seen.append(all_measures(*pair))
        drifted, enough = _verdicts(seen, rules, subject.output)
        apart, apart_known = rows.after(place)
        drifted |= apart
        said = erred[place] if erred else None
        if said is not None and said.answer == "found":
            drifted[said.subject] = said.reason
        known = enough or apart_known or (said is not None and said.answer != "not yet")
        yield Look(full.window.end_us, known, drifted)


def _in_a_row(looks: Sequence[Look]) -> list[list[Look]]:
    """Those that say `drifted`, one after the other."""
    return [list(group) for drifted, group in groupby(looks, key=lambda one: bool(one.drifted)) if drifted]


def _alarm(version: int, looks: Sequence[Look]) -> dict[str, Any]:
    first, last = looks[0], looks[-1]
    return {
        "at": _moment(first.at_us),
        "until": _moment(last.at_us),
        "windows": len(looks),
        "version": version,
        "columns": sorted({name for one in looks for name in one.drifted}),
        "reason": "; ".join(f"{name}: {reason}" for name, reason in first.drifted.items()),
    }


def _verdicts(seen: Sequence[Compared], rules: Rules, output: str) -> tuple[dict[str, str], bool]:
    """Column → why, of those that have drifted; and whether anything can be said of any."""
    found, known = {}, False
    last = _last(seen, rules)
    for name in seen[-1] if seen else ():
        verdict = decided([one[name] for one in last], rules)
        known |= verdict.answer != "not yet"
        if verdict.answer == "drifted":
            found[shown_as(name, output)] = verdict.reason
    return found, known


def _last(seen: Sequence[Compared], rules: Rules) -> list[Compared]:
    """The newest with enough rows, as a report looks at them."""
    full = (one for one in reversed(seen) if all(each.rows >= rules.least_rows for each in one.values()))
    return [one for one, _ in zip(full, range(rules.windows), strict=False)][::-1]


def full_of(one: KnownWindow) -> Full:
    """A window that was told, as its profile is kept."""
    window, token = Window(one.start_us, one.end_us), one.token.partition(".")[0]
    return Full(window, Content(0, token), {window: token})


def _settings(given: Sequence[str]) -> dict[str, Any]:
    """`limits.psi=0.3` → {"limits.psi": 0.3}: the value is JSON, or a word."""
    found: dict[str, Any] = {}
    for one in given:
        key, _, value = one.partition("=")
        if key.partition(".")[0] not in _KEYS:
            raise ProjectError(
                f"a backtest cannot have another {key!r}{nearest(key, _KEYS)}",
                where=f"--set {one}",
                remedy="it replays the windows that are stored: change what they are held against in trainshed.toml",
            )
        try:
            found[key] = json.loads(value)
        except ValueError:
            found[key] = value
    return found


def _sentence(told: Mapping[str, Any]) -> str:
    alarms, alarmed, judged = len(told["alarms"]), told["alarmed"], told["judged"]
    if not judged:
        return f"of {told['windows']} windows none could be judged: `least_rows`, `needed`, or no reference yet"
    if not alarms:
        return f"it would not have alarmed: {judged} of {told['windows']} windows could be judged"
    times = "once" if alarms == 1 else f"{alarms} times"
    return f"it would have alarmed {times}, over {alarmed} of the {judged} windows that could be judged"


def _moment(at_us: int | None) -> str | None:
    return None if at_us is None else from_us(at_us).isoformat()


if __name__ == "__main__":
    sys.exit(main())
