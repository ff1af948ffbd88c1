"""`[monitors.NAME]`: what is watched, window by window, against what, and when that is an alarm."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Final, Literal, Self, get_args

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from pipeline.config.base import Duration, Name, Section, Share, duration_text, none_if_off, parse_duration

ReferenceName = Literal["training", "trailing", "last cycle"]
ColumnMeasureName = Literal["psi", "ks", "wasserstein", "missing", "new"]
MeasureName = Literal[ColumnMeasureName, "mmd", "classifier"]
ShortestWindow: Final = timedelta(minutes=1)
KEEP_WINDOWS: Final = timedelta(days=730)
_ROWS: Final = re.compile(r"\s*(\d[\d_]*)\s*rows\s*")


def window_text(value: object) -> str:
    """`"1d"` or `"2000 rows"`, in one spelling. ValueError says what is allowed."""
    rows = rows_of(str(value))
    if rows is not None:
        if rows < 1:
            raise ValueError("a window has at least one row")
        return f"{rows} rows"
    try:
        span = parse_duration(value)
    except ValueError:
        raise ValueError(f'{value!r} is no window: write a duration such as "1d", or "2000 rows"') from None
    if span < ShortestWindow:
        raise ValueError("a window lasts a minute at least")
    return duration_text(span)


def rows_of(window: str) -> int | None:
    """Of a window that is so many rows; None of one that is a span of time."""
    found = _ROWS.fullmatch(window)
    return int(found[1]) if found else None


class LimitsSection(Section):
    """Sizes from which on a difference matters; one that chance alone may give never counts."""

    psi: float = Field(default=0.2, gt=0.0)
    """Population stability index, with what chance gives taken off."""
    ks: float = Field(default=0.1, gt=0.0)
    """Kolmogorov-Smirnov: largest distance of the two cumulative shares."""
    wasserstein: float = Field(default=0.2, gt=0.0)
    """Wasserstein distance, in standard deviations of the reference."""
    missing: float = Field(default=0.2, gt=0.0)
    """Rows without a value, as an effect (Cohen's h): from 0 to 1 % of the rows, or from 50 to 60 %."""
    new: float = Field(default=0.2, gt=0.0)
    """Words that the reference hardly knew, likewise."""
    mmd: float = Field(default=0.1, gt=0.0)
    """Of columns of vectors, such as embeddings: maximum mean discrepancy, the root of MMD²."""
    classifier: float = Field(default=0.6, gt=0.5, lt=1.0)
    """AUC of a classifier that tells a window's rows from the reference's; 0.5: it cannot."""


class PerformanceSection(Section):
    """How good the answers are, as labels come."""

    metric: str | None = None
    """What decides; without it the model's objective."""
    drop: float = Field(default=0.02, gt=0.0)
    """How much worse than the version's evidence it may be, in the metric's own unit; of rmse and mae as a share."""
    coverage: Share = 0.3
    """Share of a window's rows that need a label before it is judged."""
    slices: list[str] = []
    """Columns by whose values it is told too."""
    stream: bool = True
    """Follow the errors answer by answer too (ADWIN): it dates a rise of `drop` or more, which windows only bracket.
    Leave it out where labels of one outcome come sooner than others, or where errors come and go with the hour of the
    day."""


class ServiceSection(Section):
    """How requests are answered, and how fresh data is; what is not named is told, and never an alarm."""

    p99_ms: float | None = Field(default=None, gt=0.0)
    """The slowest of 100 answers takes so long at most, in milliseconds."""
    errors: Share | None = None
    """Share of requests that may fail."""
    stale: Duration | None = Field(default=None, gt=timedelta(0))
    """What is watched has rows that are not older than this."""


class RetrainSection(Section):
    """When a report has the model trained again. The new version waits at its gates like any other."""

    on: list[Literal["drift", "performance"]] = Field(default=["drift", "performance"], min_length=1)
    """Kinds of findings that ask for it."""
    reports: int = Field(default=2, ge=1, le=50)
    """So many reports in a row have to say so, each over newer windows."""
    cool_down: Duration = Field(default="7d", validate_default=True)
    """Between two such trainings."""
    budget: int = Field(default=3, ge=1)
    """So many of them at most…"""
    per: Duration = Field(default="30d", validate_default=True)
    """…within this time."""
    then: Literal["candidate", "canary"] = "candidate"
    """What becomes of a version that passes its gates and beats production on the newest labelled window."""


class MonitorSection(Section):
    """Watches the requests of a served model, or a dataset. A model that is served and that no monitor names has one of
    its own name, with these defaults."""

    description: str = ""
    """For people."""
    owner: str = ""
    """Whom to ask."""
    model: Name | None = None
    """Its prediction log is watched, as far as the version in production answered."""
    dataset: Name | None = None
    """Its rows are watched, by `time`."""
    time: str | None = None
    """Column of the dataset: the moment of a row; without it the dataset's own `time`. Without a zone it is UTC."""
    every: Duration = Field(default="1h", gt=timedelta(0), validate_default=True)
    """How often it looks: the schedule `monitor_NAME`, which can be paused as any. A schedule of the project for
    `monitor:NAME` takes its place."""
    window: Annotated[str, AfterValidator(window_text)] = "1d"
    """What is looked at as one: a span of time, aligned to UTC (weeks begin on Monday), or so many (`"2000 rows"`).
    A window counts once it is full."""
    reference: ReferenceName | None = None
    """What windows are held against. training: the rows that trained the version (usual, of a model); trailing: the
    windows before (usual, of a dataset); last cycle: the same window one `cycle` ago."""
    trailing: int = Field(default=7, ge=1)
    """So many windows are the reference, if it is trailing."""
    cycle: Duration = Field(default="7d", gt=timedelta(0), validate_default=True)
    """A whole number of windows."""
    columns: list[str] = []
    """Only these, and the predictions; none named: all, of a dataset without those that identify a row."""
    leave_out: list[str] = []
    """Without these."""
    measures: list[MeasureName] = Field(default=["psi", "ks", "wasserstein", "missing", "new", "mmd"], min_length=1)
    """Those that can alarm. mmd is of a dataset's columns of vectors; classifier is of whole rows, takes a second
    or more of computing a window, and has to be named."""
    limits: LimitsSection = LimitsSection()
    """From where on a difference matters."""
    least_rows: int = Field(default=500, ge=1)
    """Of a window, and of the reference: on fewer nothing is said."""
    windows: int = Field(default=3, ge=1)
    """The last so many windows are looked at."""
    needed: int = Field(default=2, ge=1)
    """In so many of them the same measure has to reach its limit."""
    skew: bool = True
    """Hold what callers sent for the features of views against what training would have looked up for the moment of the
    request. Leave it out where requests are asked long after their time, as in a replay."""
    keep_windows: Annotated[Annotated[Duration, Field(ge=timedelta(days=1))] | None, BeforeValidator(none_if_off)] = (
        KEEP_WINDOWS
    )
    """How long what was told of a window stays in the record; `"off"`: for ever. The newest 400 windows of a version
    stay in any case, and what an open alert, or a training that a report asked for, refers to. Reports go with their
    runs (`daemon.keep_runs`)."""
    severity: Literal["warning", "critical"] = "warning"
    """Of its alerts."""
    performance: PerformanceSection = PerformanceSection()
    """How good the answers are, as labels come."""
    service: ServiceSection = ServiceSection()
    """How requests are answered, and how fresh data is."""
    retrain: RetrainSection | None = None
    """When a report has the model trained again; without it, never."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.model is None) == (self.dataset is None):
            raise ValueError("watches a model or a dataset: name one of them")
        if self.dataset is not None:
            self._of_dataset()
        elif self.time is not None:
            raise ValueError("`time` is for datasets: what a model was asked has its own times")
        if self.needed > self.windows:
            raise ValueError(f"{self.needed} of {self.windows} windows cannot be needed")
        if self.reference == "last cycle":
            self._of_cycle()
        return self

    def _of_dataset(self) -> None:
        if self.reference == "training":
            raise ValueError("a dataset has no training set: its reference is trailing or last cycle")
        if self.performance != PerformanceSection() or self.retrain is not None:
            raise ValueError("watches a dataset, and `performance` and `retrain` are of a model")

    def _of_cycle(self) -> None:
        if self.span is None:
            raise ValueError("windows of so many rows have no cycle")
        if self.keep_windows is not None and self.keep_windows < self.cycle + self.span:
            raise ValueError(
                f"`keep_windows` is shorter than a cycle: {duration_text(self.cycle)} and a window are needed"
            )
        if self.cycle % self.span:
            raise ValueError(f"a cycle is a whole number of windows of {self.window}")

    @property
    def column_measures(self) -> tuple[ColumnMeasureName, ...]:
        """Those of single columns of numbers and words, each once."""
        named = set(self.measures)
        return tuple(name for name in get_args(ColumnMeasureName) if name in named)

    @property
    def span(self) -> timedelta | None:
        """Of a window; None if it is so many rows."""
        return None if rows_of(self.window) is not None else parse_duration(self.window)

    @property
    def rows(self) -> int | None:
        """Of a window; None if it is a span of time."""
        return rows_of(self.window)

    @property
    def held_against(self) -> ReferenceName:
        return self.reference or ("training" if self.model is not None else "trailing")
