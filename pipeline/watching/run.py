"""`monitor:NAME`: closed windows of what is watched, each assessed once, and a report over the newest of them.

What it tells follows from rows at rest: killed at any moment and begun again, or done twice, it tells the same. Windows
whose rows or labels have changed since they were told are assessed again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from pipeline.config.monitors import MonitorSection
from pipeline.config.watched import monitors_of
from pipeline.process.context import Preempted, RunContext
from pipeline.process.spec import MonitorFacts
from pipeline.tables.fingerprint import fingerprint
from pipeline.watching.closing import Closed, close
from pipeline.watching.held import Held, rules_of, told
from pipeline.watching.making import keep_part
from pipeline.watching.report import reported
from pipeline.watching.subjects import Subject, subjects_of
from pipeline.watching.windows import Window
from store.facts import WindowFacts
from store.times import to_us
from store.watching import REMEMBERED

FORMAT: Final = 1
"""Of what this step makes; a new number makes it anew."""
_AT_ONCE: Final = 20
"""Windows in one line of the spool."""


@dataclass(frozen=True)
class Look:
    """A subject with its closed windows."""

    subject: Subject
    closed: Closed

    def token(self, place: int) -> str:
        """Of all that a window's assessment follows from."""
        return self.closed.windows[place].content.token


def run_monitor(ctx: RunContext) -> None:
    """Looks at what `ctx.spec.target` watches, or skips when nothing has changed since its last look.

    Raises NotFound without the version's training set, BundleDamaged, SchemaChanged for a dataset without its time;
    Preempted, with all profiles kept that were made.
    """
    section = monitors_of(ctx.project)[ctx.spec.target]
    facts = ctx.spec.context.monitor or MonitorFacts()
    subjects = subjects_of(ctx.home, ctx.spec.target, section, facts.versions, to_us(ctx.now()))
    if not subjects:
        ctx.spool.write("skip", reason=_nothing(section))
        return
    looks = [Look(one, _closed(one, section, facts)) for one in subjects]
    digest = _fingerprint(section, looks)
    ctx.spool.write("fingerprint", value=digest)
    if not ctx.spec.force and ctx.spec.context.last_fingerprint == digest:
        ctx.spool.write("skip", reason=_unchanged(section, looks[-1]))
        return
    held = [_assess(ctx, section, look, facts) for look in looks]
    assessed = [key for one in held for key in one[1]]
    ctx.spool.facts("report", reported(ctx.spec.target, section, looks[-1].subject, held[-1][0], assessed))


def _closed(subject: Subject, section: MonitorSection, facts: MonitorFacts) -> Closed:
    known = [Window(one.start_us, one.end_us) for one in facts.windows if one.version == subject.number]
    return close(
        subject.table,
        section,
        known,
        since_us=subject.since_us,
        before_us=subject.before_us,
        until_us=subject.until_us,
        most=REMEMBERED,
    )


def _fingerprint(section: MonitorSection, looks: Sequence[Look]) -> str:
    return fingerprint(
        step="monitor",
        format=FORMAT,
        section=section.model_dump(mode="json", exclude={"description", "owner", "every"}),
        looks=[
            [one.subject.identity, *([w.window.start_us, w.window.end_us, one.token(p)] for p, w in _placed(one))]
            for one in looks
        ],
    )


def _placed(look: Look) -> list[tuple[int, Any]]:
    return list(enumerate(look.closed.windows))


def _nothing(section: MonitorSection) -> str:
    if section.model is not None:
        return f"no version of {section.model} is in production yet, so there is nothing to watch"
    return f"{section.dataset} has no version yet, so there is nothing to watch"


def _unchanged(section: MonitorSection, look: Look) -> str:
    subject = section.dataset if section.model is None else f"{section.model} {look.subject.number}"
    many = len(look.closed.windows)
    return f"no window of {subject} has closed or changed since the last look; {many} are known"


def _assess(
    ctx: RunContext, section: MonitorSection, look: Look, facts: MonitorFacts
) -> tuple[Held | None, list[tuple[int, int]]]:
    """Tells what is new of a version's windows; the windows, and (version, start) of those that were told."""
    subject, windows = look.subject, look.closed.windows
    if not windows:
        return None, []
    before = {(one.version, one.start_us, one.end_us): one.token for one in facts.windows}
    keys = [(subject.number, one.window.start_us, one.window.end_us) for one in windows]
    new = [p for p, key in enumerate(keys) if ctx.spec.force or before.get(key) != look.token(p)]
    if not new and subject.before_us is not None:
        return None, []

    def between() -> None:
        if ctx.stop.is_set():
            raise Preempted

    basis = subject.basis(windows)
    held = Held(section, basis, subject.number, windows, between)
    for part, token in look.closed.begun.items():
        keep_part(basis.shelf, basis.table, subject.number, part, token, between)
    for begin in range(0, len(new), _AT_ONCE):
        places = new[begin : begin + _AT_ONCE]
        ctx.spool.windows(ctx.spec.target, [_window(section, look, held, place) for place in places])
        ctx.spool.progress(begin + len(places), len(new), "windows", message=f"assessing {ctx.spec.target}")
    return held, [(subject.number, windows[place].window.start_us) for place in new]


def _window(section: MonitorSection, look: Look, held: Held, place: int) -> WindowFacts:
    full, compared = held.windows[place], held.compared(place)
    found, limits = ({}, {}) if compared is None else told(compared, rules_of(section), look.subject.output)
    return WindowFacts(
        version=look.subject.number,
        start_us=full.window.start_us,
        end_us=full.window.end_us,
        rows=held.profile(place).rows,
        measures=found,
        limits=limits,
        token=look.token(place),
    )
