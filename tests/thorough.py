"""How often a proof is repeated: a few times in `make test`, as often as was promised in `make thorough`."""

from __future__ import annotations

import os
from typing import Final

import pytest

THOROUGH: Final = "TRAINSHED_THOROUGH" in os.environ


def only_thorough(why: str) -> pytest.MarkDecorator:
    """For a proof that `make test` leaves out, and why it does."""
    return pytest.mark.skipif(not THOROUGH, reason=f"{why}: make thorough")


def repeats(usually: int, thoroughly: int) -> int:
    return thoroughly if THOROUGH else usually
