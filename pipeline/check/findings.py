"""What a check of a project found: faults, which have to be mended, and notes, which say what could not be judged."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from store.errors import ProjectError, TrainshedError


@dataclass(frozen=True, kw_only=True)
class Finding:
    where: str
    """File and key, or key alone."""
    what: str
    remedy: str
    code: str
    """Name of the kind of error, or `Note`."""

    @classmethod
    def of(cls, error: TrainshedError, key: str = "") -> Finding:
        """The error as a finding; `key` is the key of the project file that led there."""
        told = error.where if not key.endswith(error.where) else ""
        where = ": ".join(part for part in (key, told) if part)
        return cls(where=where, what=error.what, remedy=error.remedy, code=error.code)

    def as_json(self) -> dict[str, Any]:
        return {"code": self.code, "what": self.what, "where": self.where, "remedy": self.remedy}

    def __str__(self) -> str:
        return f"{self.where}: {self.what}\n  → {self.remedy}"


@dataclass
class Findings:
    """Collects while a project is looked through."""

    faults: list[Finding] = field(default_factory=list)
    notes: list[Finding] = field(default_factory=list)

    def fault(self, where: str, what: str, remedy: str) -> None:
        self.faults.append(Finding(where=where, what=what, remedy=remedy, code=ProjectError.__name__))

    def error(self, error: TrainshedError, key: str = "") -> None:
        self.faults.append(Finding.of(error, key))

    def note(self, where: str, what: str, remedy: str) -> None:
        self.notes.append(Finding(where=where, what=what, remedy=remedy, code="Note"))


@dataclass(frozen=True, kw_only=True)
class Report:
    """The outcome of `trainshed check`."""

    project: str
    faults: list[Finding]
    notes: list[Finding]
    jobs: list[dict[str, Any]]
    """name, kind, upstream, schedules of each job, upstream first."""
    tree: str
    """The plan of jobs, drawn; empty when the project file does not load."""

    def as_json(self) -> dict[str, Any]:
        return {
            "project": self.project,
            "passed": not self.faults,
            "faults": [fault.as_json() for fault in self.faults],
            "notes": [note.as_json() for note in self.notes],
            "jobs": self.jobs,
        }

    def __str__(self) -> str:
        parts = [self.tree] if self.tree else []
        parts += [f"note  {note}" for note in self.notes]
        parts += [f"FAULT {fault}" for fault in self.faults]
        number = len(self.faults)
        parts.append(f"{number} fault{'' if number == 1 else 's'}" if number else "no faults")
        return "\n\n".join(parts)
