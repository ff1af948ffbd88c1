"""How a version went into service, as a promotion tells it."""

from __future__ import annotations

from store.wire.base import Wire


class ServedView(Wire):
    """How a version went into service."""

    epoch: int
    """Of the routing snapshot that named it."""
    workers: int
    """Processes that put it in force."""
    compiled: int
    """Programs that had to be compiled; 0 for a version of a known architecture, and for a rollback."""
    pressed_s: float
    loaded_s: float
    """Loaded, warm and compared with the golden rows, in every worker."""
    switched_s: float
    """From the published snapshot until the last worker had it in force."""
