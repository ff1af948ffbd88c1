"""Traffic: who answers which share of a model's units, what is compared, who gets copies, and how that changes."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from store.wire.base import Wire
from store.wire.models import GateView
from store.words import ComparisonKind, ComparisonStatus

ArmRole = Literal["control", "treatment"]
TrafficVerb = Literal["weights", "canary", "experiment", "stop", "shadow", "lift"]


class ArmShare(Wire):
    """A version and its planned share."""

    version: int
    share: float
    """Of the units."""


class ArmView(Wire):
    """A version that answers, with its numbers. Those of a comparison are of its present stage; else since start."""

    version: int
    role: ArmRole
    share: float
    """Of the units."""
    ready: bool
    requests: int
    """Answered since its processes started, for whatever reason."""
    errors: int
    """Of them, with a status above 499."""
    slow: int
    """Of them, those that took longer than `serving.slow`."""
    p50_ms: float | None
    p99_ms: float | None
    compared: int | None = None
    """Requests of this stage whose unit was assigned. None where nothing is compared, as in what follows."""
    units: int | None = None
    """Whom they were about, to some 1 %."""
    error_units: int | None = None
    """Units that met an error in this stage, each once."""
    slow_units: int | None = None


class StageView(Wire):
    """A step of a canary."""

    share: float
    bake_seconds: float
    least: int
    """Requests that it has to have answered."""


class RuleView(Wire):
    """One rule's answer to whether the treatment may take the place of control, in a sentence."""

    rule: str
    answer: Literal["yes", "no", "not yet"]
    reason: str
    value: float | None = None
    limit: float | None = None


class TreatmentView(Wire):
    version: int
    share: float
    room: float
    """The largest share that it may get in this comparison."""


class ComparisonView(Wire):
    """Versions that part a model's traffic."""

    id: int
    model: str
    kind: ComparisonKind
    name: str
    control: int
    treatments: list[TreatmentView]
    status: ComparisonStatus
    stage: int
    """Grows whenever shares change."""
    since: datetime
    """When this stage began."""
    stages: list[StageView] = []
    """Of a canary."""
    passed: bool = False
    """A canary that has passed its last stage, or an experiment that has won: it waits to be promoted."""
    waits: str = ""
    """What a running canary or experiment waits for; while the daemon has not looked yet, nothing."""
    findings: list[RuleView] = []
    then: str = ""
    """What becomes of a canary after its last stage: `wait` or `promote`."""
    reason: str
    """Why it was begun, or why it has ended."""
    actor: str
    ended_by: str | None
    seen_by: str | None = None
    """Who has seen that it was taken back."""
    began_at: datetime
    ended_at: datetime | None


class ShadowView(Wire):
    """A version that is given copies of requests; its numbers since its processes started."""

    version: int
    share: float
    """Of the requests."""
    actor: str
    reason: str
    since: datetime
    ready: bool = False
    """It is loaded in every process."""
    why_not: str = ""
    """Why it is not, as far as a process has said so: then it gets no copies, and what answers goes on without it."""
    answered: int = 0
    failed: int = 0
    dropped: int = 0
    """Copies for which there was no room: a shadow is the first that goes short."""
    p50_ms: float | None = None
    p99_ms: float | None = None


class TrafficView(Wire):
    """By the record: what is compared, or was the last time, and who is the shadow."""

    model: str
    production: int | None
    comparison: ComparisonView | None
    shadow: ShadowView | None


class TrafficChange(Wire):
    """What is to be done to a model's traffic."""

    do: TrafficVerb
    version: int | None = Field(
        default=None, description="Of `canary`, `shadow`, and an experiment of no project file."
    )
    name: str = Field(
        default="", pattern=r"^([a-z][a-z0-9_]{0,62})?$", description="Of an experiment; of `stop`: which one is meant."
    )
    settings: dict[str, Any] = Field(
        default={}, description="Of `experiment`: keys of `[experiments.NAME]`, over those of the project file."
    )
    shares: dict[int, float] = Field(default={}, description="Of `weights`: version → share of the units, up to 1.")
    share: float = Field(default=1.0, gt=0.0, le=1.0, description="Of `shadow`: of the requests.")
    kind: ComparisonKind | None = Field(default=None, description="Of `stop`: which kind is meant; null: any.")
    reason: str = ""
    override: bool = Field(default=False, description="Against the gates; needs a reason, and is shown for ever.")


class TrafficPlanView(Wire):
    """What a change would do. `token` binds it to the state it was made from."""

    model: str
    do: TrafficVerb
    before: list[ArmShare]
    after: list[ArmShare]
    shadow_before: int | None
    shadow_after: int | None
    gates: dict[int, list[GateView]]
    """Version that would begin to answer → its gates."""
    needs_override: bool
    effects: list[str]
    warnings: list[str]
    undo: str
    token: str


class TrafficRequest(Wire):
    change: TrafficChange
    token: str | None = Field(default=None, description="Of the plan that was shown; a stale one is refused.")
