"""`[schedules.NAME]`, `[jobs."KIND:NAME"]` and `[daemon]`: when and how jobs run."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Self

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, model_validator

from pipeline.config.base import Duration, Section, Share, Size, none_if_off
from pipeline.config.crontab import parse_crontab
from pipeline.config.zones import zone_name
from store.words import CatchUp, DeviceChoice, Overlap


def crontab_line(line: str) -> str:
    """The line itself, when it can be read."""
    parse_crontab(line)
    return line


KeepRuns = Annotated[Annotated[Duration, Field(ge=timedelta(days=1))] | None, BeforeValidator(none_if_off)]
"""At least a day; None: for ever."""


class ScheduleSection(Section):
    """When a job runs: exactly one of cron, every and at."""

    job: str
    """`etl:NAME`, `features:NAME`, `train:NAME`, `evaluate:NAME`, `batch-predict:NAME`, `monitor:NAME` or `backup`."""
    cron: Annotated[str, AfterValidator(crontab_line)] | None = None
    """Five crontab fields with crontab's own meaning (0 and 7 are Sunday; day OR weekday), or @daily and the like."""
    every: Duration | None = None
    """A fixed interval, aligned to 1970-01-01 UTC."""
    at: AwareDatetime | None = None
    """Once; with an offset. If no daemon ran then, catch_up says whether it is run later."""
    timezone: Annotated[str, AfterValidator(zone_name)] = "UTC"
    """IANA zone in which cron is read; a fixed time fires once a local day, through every clock change."""
    upstream: bool = True
    """Bring everything the job builds upon up to date first."""
    params: dict[str, Any] = {}
    """Overrides of the job's settings, dotted names."""
    overlap: Overlap = "skip"
    """When the run before has not ended."""
    catch_up: CatchUp = "last"
    """After the daemon was down: nothing, the last missed time, or all within the window."""
    catch_up_window: Duration = Field(default="1d", validate_default=True)
    """How far back missed times count."""
    jitter: Duration = Field(default="0s", validate_default=True)
    """Start up to this much later, spread by the schedule's name; never changes the nominal time."""
    pause_after_failures: int | None = Field(default=None, gt=0)
    """Pause the schedule after so many failed runs in a row."""

    @model_validator(mode="after")
    def _one_spec(self) -> Self:
        if sum(x is not None for x in (self.cron, self.every, self.at)) != 1:
            raise ValueError("needs exactly one of cron, every and at")
        return self


class JobSection(Section):
    """How the runs of one job are carried out."""

    retries: int = Field(default=0, ge=0)
    """Attempts after the first, for failures that a retry can mend (killed, unreachable, preempted)."""
    retry_delay: Duration = Field(default="10s", validate_default=True)
    """Before the second attempt; doubled each time, at most an hour."""
    timeout: Duration | None = None
    """Kill a run that takes longer."""
    stall_timeout: Duration = Field(default="10m", validate_default=True)
    """Show a run as stalled that says nothing for so long."""
    priority: int = 0
    """Higher goes first."""
    pool: str = "default"
    """Pool whose slots its runs take; of a monitor `monitors`, so that its look does not wait until trainings end."""
    slots: int = Field(default=1, gt=0)
    """Slots of the pool that a run takes."""
    device: DeviceChoice | None = None
    """Overrides the model's device."""
    gpu_memory: Share = 1.0
    """Share of one GPU's memory that a run leases."""
    keep_runs: KeepRuns = None
    """How long its runs stay after their end; `"off"`: for ever. Left out: as `daemon.keep_runs` says."""


class DaemonSection(Section):
    """How the daemon of this project works."""

    pools: dict[str, int] = {"default": 2}
    """Pool → slots: how many runs at once. `monitors`, for those, has one if none is named."""
    grace: Duration = Field(default="30s", validate_default=True)
    """Between SIGTERM and SIGKILL of a cancelled run: time for a checkpoint."""
    warm_workers: bool = True
    """Fork runs from a process that has the libraries imported: starts in milliseconds instead of seconds."""
    warm_idle: Duration = Field(default="5m", validate_default=True)
    """Let that process go when nothing ran for so long."""
    log_bytes: Size = 64_000_000
    """Of each log file of a run; the oldest part is dropped."""
    min_free: Size = 2_000_000_000
    """Start no run with less free disk space."""
    sample_every: Duration = Field(default="2s", validate_default=True)
    """Between two measurements of the box and of the runs."""
    keep_backups: int = Field(default=7, gt=0)
    """Backups that stay; older ones are removed."""
    keep_runs: KeepRuns = Field(default="365d", validate_default=True)
    """How long runs stay after their end, with their folders, logs, checkpoints, events and curves; `"off"`: for ever.
    What a version in use was made by or from stays in any case, and what schedules and skipped steps rest on."""
    keep_newest: int = Field(default=30, ge=1)
    """Runs of a job that stay however old they are, the newest."""
