"""What the checks of a dataset found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from pipeline.config.checks import AnyCheck, Check, RowCheck
from store.facts import CheckFacts
from store.words import Outcome

_ROUNDING: Final = 1e-12
"""Of a share's product, with room to spare; of a thousand million rows it is less than one."""


@dataclass(frozen=True, kw_only=True)
class Counts:
    """Rows: `input` = `good` + `quarantined`, always."""

    input: int
    good: int
    quarantined: int


@dataclass(frozen=True, kw_only=True)
class CheckReport:
    results: list[CheckFacts]
    """One for each check, in the order of the project file."""
    good: str
    """Relation with the rows that stay, in their order."""
    bad: str | None
    """Relation with the quarantined rows and their `_checks`, the names of all row checks they break; None: no row."""
    counts: Counts

    @property
    def passed(self) -> bool:
        """False when a check of severity "fail" is broken: the rows must not become a version."""
        return all(result.outcome != "fail" for result in self.results)


def outcome(check: Check, failing: int, total: int, allowed: float) -> Outcome:
    """The check's severity where a greater share of rows than allowed breaks it, else pass."""
    # 0.29 of 100 rows are 28.999999999999996 to a computer, and 29 are no more than were allowed.
    broken = failing > 0 and failing > allowed * total * (1.0 + _ROUNDING)
    return check.severity if broken else "pass"


def names_of(checks: Sequence[AnyCheck]) -> list[str]:
    """The name of each check: its own, or made from kind and columns; a name used before gets a number."""
    names: list[str] = []
    for check in checks:
        wanted = check.name or _made_name(check)
        number = sum(n == wanted or n.rpartition(" #")[0] == wanted for n in names)
        names.append(f"{wanted} #{number + 1}" if number else wanted)
    return names


def facts(
    check: AnyCheck, name: str, *, failing: int, total: int, detail: str, sample: list[dict[str, Any]]
) -> CheckFacts:
    allowed = check.max_share if isinstance(check, RowCheck) else 0.0
    return CheckFacts(
        name=name,
        kind=check.kind,
        severity=check.severity,
        outcome=outcome(check, failing, total, allowed),
        failing=failing,
        total=total,
        allowed=allowed,
        detail=detail,
        sample=sample,
    )


def _made_name(check: AnyCheck) -> str:
    match check.kind:
        case "unique":
            return f"unique({', '.join(check.columns)})"
        case "schema":
            return f"schema({', '.join(check.columns)})"
        case "sql":
            return f"sql({check.rule.strip()})"
        case "row_count":
            return "row_count"
        case _:
            return f"{check.kind}({check.column})"
