"""How often a proof is repeated: a few times in `make test`, as often as was promised in `make thorough`."""

from __future__ import annotations

import os
from typing import Final

import pytest

THOROUGH: Final = "TRAINSHED_THOROUGH" in os.environ
only_thorough: Final = pytest.mark.skipif(not THOROUGH, reason="its times say something on a quiet box: make thorough")


def repeats(usually: int, thoroughly: int) -> int:
    return thoroughly if THOROUGH else usually
