"""Flights as an airline's own program asks about them, and how each of them ended."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import isnan
from pathlib import Path
from typing import Any, Final

LATE_MINUTES: Final = 15
_KEY: Final = ("carrier", "flight", "origin")
Row = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Flown:
    """A flight; times are seconds since 1970, UTC."""

    id: str
    """No other flight has it: `UA 1545 EWR 2013-05-15T09:15Z`."""
    unit: str
    """The plane, by its tail number: the same one always meets the same version."""
    leaves: float
    """By the timetable: the moment at which it is asked about."""
    landed: float
    """From then on it is known whether it was late."""
    late: int
    """1: it arrived 15 or more minutes late."""
    row: Row
    """The columns that the model takes, as they were known when it was to leave."""


def read_rows(part: Path, columns: Sequence[str]) -> list[dict[str, Any]]:
    """Rows of a part of a training set, by their time: `at`, the key's other columns, and `columns`.

    Its features are joined point in time: each is what was known of it at the scheduled departure.
    """
    import duckdb  # a tenth of a second that only the demo needs

    names = ", ".join(f'"{name}"' for name in dict.fromkeys([*_KEY, *columns]))
    query = f"SELECT epoch(sched_dep) AS at, {names} FROM read_parquet(?) ORDER BY sched_dep, {', '.join(_KEY)}"
    with duckdb.connect() as connection:
        found = connection.execute(query, [str(part)])
        heads = [column[0] for column in found.description or []]
        return [dict(zip(heads, map(_sendable, cells), strict=True)) for cells in found.fetchall()]


def flown(rows: Iterable[Row], published: Iterable[Row], columns: Sequence[str]) -> list[Flown]:
    """The rows of flights that have arrived, in their order. `published`: flights as the airline's API has them."""
    ended = {_named(_departure(flight), flight): flight for flight in published if flight["arr_delay"] is not None}
    return [_flown(row, ended[name], columns) for row in rows if (name := _named(row["at"], row)) in ended]


def _flown(row: Row, ended: Row, columns: Sequence[str]) -> Flown:
    leaves, delay = float(row["at"]), int(ended["arr_delay"])
    name = _named(leaves, row)
    return Flown(
        id=name,
        unit=ended["tailnum"] or name,
        leaves=leaves,
        landed=leaves + 60.0 * (row["sched_minutes"] + delay),
        late=int(delay >= LATE_MINUTES),
        row={column: row[column] for column in columns},
    )


def _named(leaves: float, flight: Row) -> str:
    moment = datetime.fromtimestamp(leaves, UTC).strftime("%Y-%m-%dT%H:%MZ")
    return f"{flight['carrier']} {flight['flight']} {flight['origin']} {moment}"


def _departure(flight: Row) -> float:
    """The hour is in UTC; minutes are the same in every zone that flights leave from."""
    return datetime.fromisoformat(flight["time_hour"]).timestamp() + 60.0 * float(flight["minute"])


def _sendable(value: Any) -> Any:
    """JSON has no NaN: what is not known is null."""
    return None if isinstance(value, float) and isnan(value) else value
