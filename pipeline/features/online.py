"""A view's newest values by entity, as the serving processes read them: a file a view, opened for reading only.

The features job replaces the file as a whole; whoever looked into the old one sees the new one at the next question.
Standard library only.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

Missing = Literal["unknown", "old"]


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Of one file."""

    version: int
    """Of the view in the lake."""
    published_us: int
    """Only moments from here on can be asked for."""
    entity: Mapping[str, str]
    """Entity column → type of its values: `integer`, `VARCHAR`, `BOOLEAN`, or another type of DuckDB."""
    features: Mapping[str, str]
    """Feature → `numeric` or `categorical`."""
    ttl_us: int | None
    strict: bool

    def document(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Values:
    """What is known of one entity at one moment."""

    of: Mapping[str, Any]
    """Feature → number, text or None; empty when nothing answers."""
    missing: Missing | None = None
    """Why nothing answers: no row of this entity, or none within the view's TTL."""
    age_us: int | None = None
    """Of the newest row."""


class OnlineView:
    """One file; belongs to one thread."""

    def __init__(self, file: Path) -> None:
        """Raises FileNotFoundError, sqlite3.Error."""
        found = os.stat(file)
        self.stamp = (found.st_ino, found.st_mtime_ns)
        self._file = sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
        self.facts = _facts(self._file)
        self._names = tuple(self.facts.features)
        same = " AND ".join(f"k{place} = ?" for place in range(len(self.facts.entity)))
        columns = ", ".join(["seen", "event", *(f"f{place}" for place in range(len(self._names)))])
        before = "<" if self.facts.strict else "<="
        self._query = f"SELECT {columns} FROM found WHERE {same} AND seen {before} ? ORDER BY seen DESC LIMIT 1"

    def find(self, entity: Sequence[str], at_us: int) -> Values:
        """The row that a training row of that moment would find. `entity`: as text, in the order of `facts.entity`."""
        row = self._file.execute(self._query, (*entity, at_us)).fetchone()
        if row is None:
            return Values({}, "unknown")
        _, event, *values = row
        if self.facts.ttl_us is not None and event + self.facts.ttl_us < at_us:
            return Values({}, "old", at_us - event)
        return Values(dict(zip(self._names, values, strict=True)), None, at_us - event)

    def close(self) -> None:
        self._file.close()


class OnlineFeatures:
    """All views of a home; belongs to one thread."""

    def __init__(self, file_of: Callable[[str], Path]) -> None:
        """`file_of`: view → its file."""
        self._file_of = file_of
        self._views: dict[str, OnlineView] = {}

    def view(self, name: str) -> OnlineView | None:
        """As it was published last; None where nothing was."""
        file = self._file_of(name)
        known = self._views.get(name)
        try:
            found = os.stat(file)
            if known is None or known.stamp != (found.st_ino, found.st_mtime_ns):
                self._let_go(name)
                known = self._views[name] = OnlineView(file)
        except FileNotFoundError:
            self._let_go(name)
            return None
        return known

    def close(self) -> None:
        for name in list(self._views):
            self._let_go(name)

    def _let_go(self, name: str) -> None:
        known = self._views.pop(name, None)
        if known is not None:
            known.close()


def entity_text(value: Any, kind: str) -> str | None:
    """A value of an entity as the file has it; None for a value of another kind: "1" is not 1."""
    match value:
        case bool():
            return ("true" if value else "false") if kind == "BOOLEAN" else None
        case int():
            return str(value) if kind == "integer" else None
        case str():
            return value if kind not in {"integer", "float", "BOOLEAN"} else None
    return None


def read_facts(file: Path) -> Facts | None:
    """None where there is no file, or none that can be read."""
    try:
        found = sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
    except sqlite3.Error:
        return None
    try:
        return _facts(found)
    except (sqlite3.Error, ValueError, TypeError):
        return None
    finally:
        found.close()


def _facts(file: sqlite3.Connection) -> Facts:
    ((document,),) = file.execute("SELECT document FROM facts").fetchall()
    return Facts(**json.loads(document))
