"""`monitor:NAME`: closed windows of what is watched, each assessed once, and a report over the newest of them.

What it tells follows from rows at rest: killed at any moment and begun again, or done twice, it tells the same. Windows
whose rows or labels have changed since they were told are assessed again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Final

from pipeline.config.monitors import MonitorSection
from pipeline.config.watched import monitor_of
from pipeline.process.context import Preempted, RunContext
from pipeline.process.spec import KnownWindow, MonitorFacts
from pipeline.tables.fingerprint import fingerprint
from pipeline.watching.assessed import Assessed
from pipeline.watching.following import Followed, followed
from pipeline.watching.fresh import bring_in
from pipeline.watching.freshness import freshness_of
from pipeline.watching.held import Held
from pipeline.watching.look import FORMAT, Look, Told, assessment_settings, assessor_of, look_at
from pipeline.watching.making import keep_part
from pipeline.watching.report import reported
from pipeline.watching.rowassessor import row_assessor_of
from pipeline.watching.subjects import subjects_of
from store.facts import REMEMBERED
from store.times import to_us

_AT_ONCE: Final = 20
"""Windows in one line of the spool."""
_SEEN: Final = timedelta(minutes=10)
Key = tuple[int, int]
"""Version and start of a window."""


def run_monitor(ctx: RunContext) -> None:
    """Looks at what `ctx.spec.target` watches, or skips when nothing has changed since its last look.

    Raises NotFound without the version's training set, BundleDamaged, SchemaChanged for a dataset without its time;
    Preempted, with all profiles kept that were made.
    """
    section = monitor_of(ctx.project, ctx.spec.target)
    facts = ctx.spec.context.monitor or MonitorFacts()
    if facts.versions:
        bring_in(ctx, section)
    subjects = subjects_of(ctx.home, ctx.spec.target, section, facts.versions, to_us(ctx.now()))
    if not subjects:
        ctx.spool.write("skip", reason=_nothing(section))
        return
    whole_us = _whole_since(ctx, section)
    looks = [look_at(one, section, facts.windows, whole_us) for one in subjects]
    fresh = _freshness(ctx, section)
    stream = followed(ctx.home, section, looks[-1], facts.streams)
    digest = _fingerprint(section, looks, fresh, stream)
    ctx.spool.write("fingerprint", value=digest)
    if not ctx.spec.force and ctx.spec.context.last_fingerprint == digest:
        ctx.spool.write("skip", reason=_unchanged(section, looks[-1]))
        return
    told, assessed = None, []
    for look in looks:
        told, keys = _tell(ctx, section, look, facts)
        assessed += keys
    report = reported(ctx.spec.target, section, looks[-1].subject, told, fresh, stream, ctx.now(), assessed)
    ctx.spool.facts("report", report)


def _whole_since(ctx: RunContext, section: MonitorSection) -> int:
    """From when on (µs) all that was logged is there, and will be until this look has seen which rows there are."""
    keep = ctx.project.serving.log.keep_rows
    return 0 if section.model is None or keep is None else to_us(ctx.now() - keep + _SEEN)


def _freshness(ctx: RunContext, section: MonitorSection) -> Assessed | None:
    """Of the dataset, or of that which the model learns from; None where the project does not ask for it."""
    if section.service.stale is None:
        return None
    model = None if section.model is None else ctx.project.models[section.model]
    name = section.dataset or (model.dataset if model is not None else "")
    time = section.time or (model.time if model is not None else None) or ctx.project.datasets[name].time
    return freshness_of(ctx.home.dataset(name), name, time, ctx.now(), section.service.stale)


def _fingerprint(
    section: MonitorSection, looks: Sequence[Look], fresh: Assessed | None, stream: Followed | None
) -> str:
    return fingerprint(
        step="monitor",
        format=FORMAT,
        section=section.model_dump(mode="json", exclude={"description", "owner", "every", "retrain", "keep_windows"}),
        fresh=None if fresh is None else fresh.answer,
        stream=None if stream is None else stream.state.adwin.seen,
        looks=[
            [look.subject.identity, *([*look.key(place), look.token(place)] for place in range(len(look.windows)))]
            for look in looks
        ],
    )


def _nothing(section: MonitorSection) -> str:
    if section.model is not None:
        return f"no version of {section.model} is in production yet, so there is nothing to watch"
    return f"{section.dataset} has no version yet, so there is nothing to watch"


def _unchanged(section: MonitorSection, look: Look) -> str:
    subject = section.dataset if section.model is None else f"{section.model} {look.subject.number}"
    many = len(look.windows)
    return f"no window of {subject} has closed or changed since the last look; {many} are known"


def _tell(ctx: RunContext, section: MonitorSection, look: Look, facts: MonitorFacts) -> tuple[Told | None, list[Key]]:
    """Tells what is new of a version's windows; they, and which of them were told. None: there is none to judge."""
    subject = look.subject
    before = {(one.version, one.start_us, one.end_us): one.token for one in facts.windows}
    places = range(len(look.windows))
    oldest = horizon(facts.windows)
    new = [
        place
        for place in places
        if ctx.spec.force
        or (before.get(look.key(place)) != look.token(place) and look.windows[place].window.end_us >= oldest)
    ]
    if not look.windows or (not new and subject.before_us is not None):
        return None, []
    told = _open(ctx, section, look)
    for begin in range(0, len(new), _AT_ONCE):
        ctx.spool.windows(ctx.spec.target, [told.window(section, place) for place in new[begin : begin + _AT_ONCE]])
        done = min(begin + _AT_ONCE, len(new))
        ctx.spool.progress(done, len(new), "windows", message=f"assessing {ctx.spec.target}")
    return told, [look.key(place)[:2] for place in new]


def horizon(known: Sequence[KnownWindow]) -> int:
    """End (µs) of the oldest window that the record still tells: what is older may have been told, or never was, and
    stays as it is. Of several versions, or of windows of another length before, there are more than it tells."""
    return min(one.end_us for one in known) if len(known) >= REMEMBERED else 0


def _open(ctx: RunContext, section: MonitorSection, look: Look) -> Told:
    subject, between = look.subject, _stops(ctx)
    basis = subject.basis(look.windows)
    held = Held(section, basis, subject.number, look.windows, between)
    for part, token in look.closed.begun.items():
        keep_part(basis.shelf, basis.table, subject.number, part, token, between)
    assessor = assessor_of(ctx.home, ctx.project, section, look, basis)
    rows = row_assessor_of(ctx.home, section, subject, look.windows, basis, held, between)
    return Told(ctx.spec.target, look, held, basis, assessor, rows, assessment_settings(section, FORMAT, rows))


def _stops(ctx: RunContext) -> Callable[[], None]:
    def between() -> None:
        if ctx.stop.is_set():
            raise Preempted

    return between
