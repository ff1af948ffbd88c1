"""The schedules and monitors of the project file as the record keeps them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from daemon.timetable import next_time
from pipeline.config.jobs import Job
from pipeline.config.project import Project
from pipeline.config.schedules import ScheduleSection
from pipeline.config.watched import monitors_of, schedules_of
from store import alerts
from store.engine import Transaction
from store.schedules import Definition, sync_schedules
from store.times import from_us, to_us, us

_ALERTS: Final = 10_000
"""That are looked through."""


def sync(tx: Transaction, project: Project, jobs: Mapping[str, Job]) -> None:
    """Brings the schedules of the record in line with the project file; what a monitor found that is gone is over, and
    so is that a channel takes no messages."""
    wanted = [definition(name, section, jobs) for name, section in schedules_of(project).items()]
    sync_schedules(tx, wanted, lambda one: first_time(one.spec, one.timezone, from_us(tx.now)))
    there = {f"monitor:{name}" for name in monitors_of(project)}
    there |= {f"channel:{name}" for name in project.alerts.channels}
    for alert in alerts.unresolved(tx.session, limit=_ALERTS):
        kind, _, name = alert.source.partition(":")
        # What a channel was not told, and never will be, is for somebody to see.
        about = kind == "monitor" or (kind == "channel" and alert.subject == f"channel {name}")
        if about and alert.source not in there:
            why = f"the project has no {kind} {name} any more"
            alerts.resolve(tx, alert.id or 0, "daemon", why, project.alerts.policy)


def definition(name: str, section: ScheduleSection, jobs: Mapping[str, Job]) -> Definition:
    """A schedule of the project file; broken when its job is not one of `jobs`."""
    return Definition(
        name=name,
        job=section.job,
        spec=spec_of(section),
        timezone=section.timezone,
        params=section.params,
        upstream=section.upstream,
        overlap=section.overlap,
        catch_up=section.catch_up,
        catch_up_window_s=section.catch_up_window.total_seconds(),
        jitter_s=section.jitter.total_seconds(),
        pause_after_failures=section.pause_after_failures,
        broken="" if section.job in jobs else f"the project has no job {section.job}",
    )


def spec_of(section: ScheduleSection) -> dict[str, Any]:
    """Its times as the record keeps them (see `daemon.timetable.next_time`)."""
    if section.cron is not None:
        return {"cron": section.cron}
    if section.every is not None:
        return {"every_s": us(section.every) / 1_000_000}
    assert section.at is not None
    return {"at_us": to_us(section.at)}


def first_time(spec: Mapping[str, Any], zone: str, now: datetime) -> int | None:
    """The next time (µs) after `now`; of what is due once its only time, even if it has passed.

    It may have passed while no daemon ran: whether it is run then is for the catch-up policy, when it is claimed.
    """
    if "at_us" in spec:
        return int(spec["at_us"])
    found = next_time(spec, zone, now)
    return to_us(found) if found is not None else None
