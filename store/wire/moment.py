"""The shed as it stood at a moment."""

from __future__ import annotations

from datetime import datetime

from store.wire.base import Wire
from store.wire.models import AliasView
from store.wire.schedules import ScheduleView
from store.wire.shed import NeedView
from store.words import RunState, Trigger


class RunThenView(Wire):
    """A run as it was then; `/v1/runs/{id}` says what became of it."""

    id: int
    job: str
    state: RunState
    since: datetime
    attempt: int
    trigger: Trigger
    actor: str
    message: str
    """Of the event that brought it into this state."""
    created_at: datetime


class MomentView(Wire):
    at: datetime
    aliases: list[AliasView]
    """What each pointed at, who put it there and why."""
    running: list[RunThenView]
    """Starting or running."""
    queued: list[RunThenView]
    removed: int = 0
    """Runs that ran or waited then and were removed since: nothing else is known of them."""
    needs_you: list[NeedView] = []
    """What wanted a person, as far as the record tells: not how full the disk was, nor why a run waited."""
    next_schedules: list[ScheduleView] = []
    """What was to come."""


class StepView(Wire):
    """The time of the event beside a moment, None where there is none."""

    at: datetime | None
