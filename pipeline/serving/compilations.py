"""Counts what XLA compiles. A serving process compiles nothing; should it ever, this says so."""

from __future__ import annotations

import jax

_COMPILED = "/jax/core/compile/backend_compile_duration"


class Compilations:
    """Of this process, from its making on."""

    def __init__(self) -> None:
        self.count = 0
        self.seconds = 0.0
        jax.monitoring.register_event_duration_secs_listener(self._heard)

    def close(self) -> None:
        jax.monitoring.unregister_event_duration_listener(self._heard)

    def _heard(self, event: str, duration_secs: float, **_: str | int) -> None:
        if event == _COMPILED:
            self.count += 1
            self.seconds += duration_secs
