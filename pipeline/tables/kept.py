"""Columns that a quarantine table has beside the rows' own."""

from __future__ import annotations

from typing import Final

CHECKS: Final = "_checks"
"""The names of all checks that the row breaks."""
RUN: Final = "_run"
"""The run that kept it apart."""
AT: Final = "_at"
"""When."""
OWN: Final = (CHECKS, RUN, AT)
