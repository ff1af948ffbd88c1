"""What the command line can fail with; each knows its exit code (design §7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from store.wire import Problem


class Failure(Exception):
    """Refused or failed: what happened, where, and what to do next."""

    exit_code: int = 1
    code: str = "Failure"

    def __init__(self, what: str, *, remedy: str, where: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.remedy = remedy

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        return f"{place}{self.what}\n  → {self.remedy}"

    def problem(self) -> Problem:
        """As the wire shows it, for `--json`."""
        from store.wire import Problem

        return Problem(
            title=self.what,
            status=self.status,
            detail=self.what,
            code=self.code,
            where=self.where,
            remedy=self.remedy,
        )

    @property
    def status(self) -> int:
        """The nearest HTTP status."""
        return 400


class Usage(Failure):
    """The command was not understood, or not meant for this place."""

    exit_code = 2
    code = "Usage"


class NoDaemon(Failure):
    """Nobody answers on the socket."""

    exit_code = 3
    code = "NoDaemon"

    @property
    def status(self) -> int:
        return 503


class ClientError(Failure):
    """The daemon's answer was a problem."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail, remedy=problem.remedy, where=problem.where)
        self.code = problem.code
        self._problem = problem

    def problem(self) -> Problem:
        return self._problem

    @property
    def status(self) -> int:
        return self._problem.status
