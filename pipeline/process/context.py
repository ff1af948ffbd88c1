"""What a step of the pipeline is given: its order, the project, the home, where to report, when to stop."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from pipeline.config import Project
from pipeline.process.spec import RunSpec
from pipeline.process.spool import Spool
from store.home import Home


@dataclass(frozen=True, kw_only=True)
class RunContext:
    """Handed to `run_etl`, `run_features`, `run_train`, `run_evaluate`: each does its step and reports by the spool.

    A step returns when it is done (or has written `skip`), raises a TrainshedError when it cannot go on, and raises
    `Preempted` when `stop` was set and its work is saved for the next attempt.
    """

    spec: RunSpec
    project: Project
    home: Home
    spool: Spool
    now: Callable[[], datetime]
    """The wall clock, UTC."""
    stop: threading.Event = field(default_factory=threading.Event)
    """Set by SIGTERM: finish the piece in hand, save, and raise Preempted."""


class Preempted(Exception):
    """The step stopped because it was asked to, with its work saved."""
