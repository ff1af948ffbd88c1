"""Programs that run for a moment in a test's own process: to compile them well takes longer than to run them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import jax


@contextmanager
def compiled_in_a_hurry() -> Iterator[None]:
    """XLA optimises as little as it may. Processes that a test starts compile as they always do."""
    jax.config.update("jax_disable_most_optimizations", True)  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        jax.config.update("jax_disable_most_optimizations", False)  # type: ignore[no-untyped-call]
