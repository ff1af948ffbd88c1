"""The vocabulary: the closed sets of words that SQL, HTTP, Python and the screen share (design §2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

RunState = Literal[
    "queued",  # a row, waiting for its time, its upstream runs or a free slot
    "starting",  # an attempt was given to a shim
    "running",  # the worker has spoken
    "succeeded",
    "skipped",  # inputs unchanged: there was nothing to do
    "failed",
    "cancelled",
    "lost",  # the process is gone and nobody wrote down how
    "upstream_failed",  # a run it depends on did not succeed
]
ACTIVE: Final[frozenset[RunState]] = frozenset({"starting", "running"})
ENDED: Final[frozenset[RunState]] = frozenset(
    {"succeeded", "skipped", "failed", "cancelled", "lost", "upstream_failed"}
)
GOOD: Final[frozenset[RunState]] = frozenset({"succeeded", "skipped"})
"""What a dependent run may build upon."""

JobKind = Literal["etl", "features", "train", "evaluate", "batch-predict", "monitor", "backup"]
Trigger = Literal["manual", "schedule", "backfill", "upstream", "rule"]
Severity = Literal["warn", "fail"]
Outcome = Literal["pass", "warn", "fail"]
Verdict = Literal["ok", "warn", "fail"]
"""Of a look at something: well, worth a look, or broken."""
Overlap = Literal["skip", "queue_one", "queue_all", "cancel_running", "allow"]
CatchUp = Literal["none", "last", "all"]
DeviceChoice = Literal["auto", "cpu", "gpu", "tpu"]
ComparisonKind = Literal["weights", "canary", "experiment"]
"""Shares that an operator sets, shares that grow by stages while nothing is wrong, or a question to be decided."""
ComparisonStatus = Literal["running", "finished", "rolled back", "invalid", "stopped"]
"""`finished`: the treatment has become production. `invalid`: what was measured cannot be believed. `stopped`: somebody
ended it, or production moved elsewhere."""

AlertKind = Literal["drift", "performance", "service", "freshness", "skew", "rot", "run", "daemon"]
"""What an alert is about. `rot`: a version that has become too old for what it is asked."""
AlertSeverity = Literal["info", "warning", "critical"]
SEVERITIES: Final[tuple[AlertSeverity, ...]] = ("info", "warning", "critical")
"""Rising."""
AlertState = Literal["open", "acknowledged", "resolved"]
"""`acknowledged`: somebody knows of it. `resolved`: it is no longer found, or somebody has said that it is over."""
Told = Literal["opened", "again", "escalated", "resolved"]
"""What a channel is told of an alert."""

Phase = Literal["start", "verify", "compile", "golden", "load", "switch"]
PHASES: Final[Mapping[Phase, str]] = {
    "start": "a process that can compile is started",
    "verify": "its files are verified",
    "compile": "its programs are compiled, one for each batch size",
    "golden": "its golden rows are compared, at every batch size",
    "load": "every process loads it, warms it and compares the golden rows itself",
    "switch": "the alias moves, and every process switches",
}
"""What a version goes through on its way into service, in this order."""

PRODUCTION: Final = "production"
CANDIDATE: Final = "candidate"
PROTECTED: Final[frozenset[str]] = frozenset({PRODUCTION})
"""Aliases that need a verdict, or an override by name and reason."""

SMALLER_IS_BETTER: Final[frozenset[str]] = frozenset({"log_loss", "brier", "rmse", "mae"})
"""Metrics of which less is better; of all others, more is. Orientation is decided here only."""
