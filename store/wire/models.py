"""Models, versions, verdicts, aliases, and plans to move them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from store.wire.base import Wire
from store.wire.served import ServedView
from store.words import Outcome


class Interval(Wire):
    """A value with its confidence interval."""

    value: float
    low: float
    high: float
    level: float = 0.95


class GateView(Wire):
    """One rule over the evidence, with the numbers it judged by."""

    gate: str
    outcome: Outcome
    reason: str
    value: float | None = None
    limit: float | None = None


class VerdictView(Wire):
    passed: bool
    gates: list[GateView]
    at: datetime


class JudgedAgainst(Wire):
    """A version against the one that was in production when it was judged, in its objective, on the same rows."""

    version: int
    difference: Interval
    """This version minus that one."""
    p_value: float | None


class VersionView(Wire):
    model: str
    version: int
    run: int
    digest: str
    created_at: datetime
    objective: str
    metrics: dict[str, Interval]
    """On the test rows."""
    baseline: dict[str, float]
    verdict: VerdictView | None
    judged_against: JudgedAgainst | None = None
    """None: nothing was in production, or it could not answer the same rows."""
    aliases: list[str]
    pressed: bool = False
    """Ready to serve on this machine: its promotion compiles nothing. Known of the versions of one model."""
    rev: int


class ModelView(Wire):
    name: str
    task: str
    objective: str
    versions: int
    latest: int | None
    aliases: dict[str, int]
    production: VersionView | None = None
    """The version in production."""
    rev: int


class AliasView(Wire):
    model: str
    alias: str
    version: int
    since: datetime
    actor: str
    reason: str


class AliasEventView(Wire):
    id: int
    model: str
    alias: str
    action: str
    """`promote` or `rollback`."""
    from_version: int | None
    to_version: int
    actor: str
    reason: str
    overridden: bool
    at: datetime
    served: ServedView | None = None
    """How the version went into service, of a move that has just been made; None: nothing is served."""


class VersionDetail(Wire):
    version: VersionView
    evidence: dict[str, Any]
    signature: dict[str, Any]
    lineage: dict[str, Any]
    aliases: list[AliasEventView]


class DifferenceView(Wire):
    """Candidate minus production on the same rows."""

    metric: str
    difference: Interval
    p_value: float | None
    test: str
    rows: int


StandingWord = Literal["better", "worse", "same", "unknown"]
"""By the interval of the gain: beyond 0, or reaching over it (what may be chance), or not compared row by row."""


class StandingMetric(Wire):
    metric: str
    value: Interval
    against: float | None = None
    difference: DifferenceView | None = None
    """On the same rows; None: they were never compared so."""
    gain: float | None = None
    """The difference turned so that more is better."""
    word: StandingWord = "unknown"


class StandingView(Wire):
    """A version against another one."""

    model: str
    version: int
    against: int | None
    """None: there is nothing to stand against."""
    objective: str
    same_rows: bool
    """Both were tested on the same rows, so even bare values can be compared."""
    metrics: list[StandingMetric]
    """The objective first."""
    note: str


class VersionsCompareView(Wire):
    left: VersionView
    right: VersionView
    standing: StandingView
    """Of the left one against the right one."""
    signature_changes: list[str]
    """What a caller of the right one would notice in the left one."""
    settings: dict[str, list[Any]]
    """Those that differ: [left, right]."""
    inputs: dict[str, list[Any]]
    """Versions of data that differ: [left, right]."""


class ReplayFlip(Wire):
    """Rows whose decision goes from one class to another."""

    before: str
    after: str
    rows: int


class ReplaySlice(Wire):
    """Rows with one value in a column, of which more change than of all."""

    column: str
    value: str
    rows: int
    changed: int
    mean: float


class ReplayStrange(Wire):
    """A column of logged requests, and its rows that are unlike all that the candidate learned from."""

    column: str
    kind: Literal["numeric", "categorical"]
    rows: int
    of: int
    """Rows of all requests that it would take."""
    missing: int
    """Without a value, where none was missing in training."""
    below: int
    above: int
    low: float | None
    """The range that it learned from."""
    high: float | None
    least: float | None
    """The range that was asked."""
    most: float | None
    unseen: int
    """With words that it does not know."""
    words: list[str]
    """The most frequent of them."""


class ReplayView(Wire):
    """A candidate on the last logged requests, against the live version on the same inputs."""

    state: Literal["nothing", "under way", "done", "failed"]
    note: str
    """Why there are no numbers, or what to know of them."""
    against: int | None
    """The live version."""
    requests: int = 0
    """Of the log, with their inputs."""
    since: datetime | None = None
    until: datetime | None = None
    refused: int = 0
    """Requests that the candidate would refuse."""
    refusals: list[str] = []
    strange: list[ReplayStrange] = []
    """Columns of the requests with values that it did not learn from, the worst first."""
    no_ranges: str = ""
    """Why numbers are held against no range, where they are not."""
    rows: int = 0
    """That both answered."""
    changed: int | None = None
    """Rows whose decision changes; of a number, that moves by more than a tenth of the standard deviation."""
    flips: list[ReplayFlip] = []
    mean: float | None = None
    """Of the differences, new minus live: of the score, or of several classes of the probability that moves."""
    quantiles: list[float] = []
    """5 %, 50 % and 95 % of them."""
    largest: float | None = None
    slices: list[ReplaySlice] = []
    latency_ms: float | None = None
    """Median of a run over up to 64 rows, warm."""
    live_latency_ms: float | None = None


class PlanView(Wire):
    """What a promotion would do. `token` binds it to the state it was made from."""

    model: str
    alias: str
    from_version: int | None
    to_version: int
    allowed: bool
    needs_override: bool
    gates: list[GateView]
    differences: list[DifferenceView]
    signature_changes: list[str]
    effects: list[str]
    warnings: list[str]
    undo: str
    token: str
    served: bool = False
    """Whether endpoints answer with the version then: `/v1/endpoints/promotion` tells its phases meanwhile."""
    replay: ReplayView | None = None
    """None: it was not asked for, or is switched off."""


class PromoteRequest(Wire):
    version: int
    alias: str = "production"
    token: str | None = Field(default=None, description="Of the plan that was shown; a stale one is refused.")
    reason: str = ""
    override: bool = Field(default=False, description="Against the gates; needs a reason, shown for ever.")


class RollbackRequest(Wire):
    alias: str = "production"
    to: int | None = Field(default=None, description="A version, or None for the one before.")
    expected: int | None = Field(default=None, description="The version believed to be live; refused if not.")
    reason: str = ""
