"""A home with a record and versions in it, and exports of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipeline.exporting.targets import target_of
from pipeline.exporting.wanted import find
from pipeline.exporting.write import Circumstances, Exported, export
from store.home import Home
from store.reading import reading
from tests.unit.registry.shelf import Shelf
from tests.unit.serving.bench import Bench

CIRCUMSTANCES = Circumstances(at="2026-01-01T14:00:00+00:00", by="anna", python="3.12")
ROW = {"distance": 500.0, "carrier": "AA", "hour": 12}


class Shed:
    def __init__(self, home: Home) -> None:
        self.home = home
        self.shelf = Shelf(home)

    def version(self, shift: float = 0.0, *, promoted: bool = True) -> str:
        """Its digest."""
        digest = Bench(self.home).version(shift)
        number = self.shelf.version(digest=digest)
        if promoted:
            self.shelf.promote(number)
        return digest

    def export(self, into: Path, reference: str = "late@production", to: str = "container") -> Exported:
        with reading(self.home) as session:
            wanted = find(session, reference)
        return export(self.home, wanted, target_of(to), into, CIRCUMSTANCES)


def scores_of(answer: Any) -> list[float]:
    return [one["probabilities"]["true"] for one in answer["predictions"]]
