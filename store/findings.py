"""What a look at something found that wants a person, and how a project wants to be told. Pure.

A report, or the daemon itself, makes findings; `store.alerts.observe` makes alerts of them, in the transaction that
stores the report.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from store.words import AlertKind, AlertSeverity

HOUR_US: Final = 3_600_000_000


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that wants a person. Of one source, (kind, subject) is the thing: found again, it is the same."""

    kind: AlertKind
    subject: str
    """What it is about, always in the same words: a column, a metric, a job. No numbers that change."""
    severity: AlertSeverity
    title: str
    """A line: what is so."""
    reason: str
    """A sentence with the numbers and limits that decided."""
    evidence: Mapping[str, Any] = field(default_factory=dict)
    """Plain JSON: the numbers for programs. It goes to the channels: no secrets, no rows of data."""
    suggestion: str = ""
    """What to do about it, with the command."""
    model: str = ""
    """The model it is about, if it is about one."""


Covered = Mapping[AlertKind, Collection[str] | None]
"""What a look could have found: kind → the subjects that it looked at, or None for all there are. What is not covered
is neither confirmed nor over."""


@dataclass(frozen=True, kw_only=True)
class Policy:
    """How a project wants to be told (`[alerts]`), as `observe` needs it."""

    channels: Mapping[str, Collection[AlertSeverity]] = field(default_factory=dict)
    """Channel → the severities it is told of."""
    settle_us: int = 2 * HOUR_US
    """An alert that comes back within so long of its end is the same one, and its end is told only after so long."""
    repeat_us: int | None = 24 * HOUR_US
    """Between two reminders of an alert that nobody has acknowledged; None: there are none."""
    gather_us: int = 10_000_000
    """How long a message waits for others, to be one with them."""
