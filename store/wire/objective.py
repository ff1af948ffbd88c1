"""Which of a run's curves says how well it does. Pure."""

from __future__ import annotations

from collections.abc import Iterable


def objective_of(names: Iterable[str]) -> str | None:
    """The score on the validation rows, else the loss there, else the loss while it trains; None without any."""
    known = sorted(names)
    scores = [name for name in known if name.startswith("validation/") and name != "validation/loss"]
    return next((name for name in (*scores, "validation/loss", "train/loss") if name in known), None)
