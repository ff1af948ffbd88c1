"""Old runs that retention would remove, and those that stay."""

from __future__ import annotations

from datetime import datetime

from store.wire.base import Wire


class PruneRun(Wire):
    run: int
    job: str
    ended_at: datetime
    why: str
    """Why it goes, or why it stays though it is old."""


class PruneJob(Wire):
    """Of one job, those that go."""

    job: str
    runs: int
    first: datetime
    last: datetime
    """When the oldest and the newest of them ended."""


class PruneView(Wire):
    """What the settings in force say of the runs that are there."""

    keep: str
    """`daemon.keep_runs`: `365d`, or `off`."""
    keep_newest: int
    runs: int
    """That go."""
    bytes: int
    """Of their folders on the disk."""
    measured: int
    """Of so many of them, the oldest: more take too long to look through."""
    jobs: list[PruneJob]
    goes: list[PruneRun]
    """The oldest of them."""
    stays: list[PruneRun]
    """The oldest of those that are older than they have to be, and stay."""
    staying: int
    """All of these."""
    complete: bool
    """False: looking at all would have taken too long, so there may be more."""
