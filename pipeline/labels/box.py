"""Where labels are put in: they are on the disk when their sender is told so. The lake has them a little later."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Sequence
from typing import Final

from pipeline.labels.record import Label, to_line
from pipeline.predictions.pen import Pen
from store.errors import StorageError
from store.home import ServingDir

_SEGMENT: Final = 16_000_000
_PARTS: Final = 4


class LabelBox:
    """One process's. Its methods may be called from any thread, and wait for the disk."""

    def __init__(self, folder: ServingDir, most: int) -> None:
        """`most`: bytes of one model's labels that may wait for the lake."""
        self._folder = folder
        self._most = most
        self._writer = f"{time.time_ns() // 1000}-{secrets.token_hex(6)}"
        self._lock = threading.Lock()
        self._pens: dict[str, Pen] = {}

    def put(self, model: str, labels: Sequence[Label]) -> None:
        """All of them, or none. Raises StorageError if there is no room."""
        lines = b"".join(map(to_line, labels))
        with self._lock:
            pen = self._pens.get(model)
            if pen is None:
                pen = self._pens[model] = self._begin(model)
            kept = pen.append(lines) and pen.sync()
        if not kept:
            raise StorageError(
                f"labels of {model} were not kept: the disk is full or failing, or too many wait for the lake",
                where=str(self._folder.labels(model)),
                remedy="send them again in a while; what was kept already changes nothing",
            )

    def close(self) -> None:
        with self._lock:
            for pen in self._pens.values():
                pen.finish()
            self._pens.clear()

    def _begin(self, model: str) -> Pen:
        segment = min(_SEGMENT, max(1, self._most // _PARTS))
        return Pen(self._folder.labels(model), self._writer, segment=segment, most=self._most)
