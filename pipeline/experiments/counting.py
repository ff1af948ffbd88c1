"""What a canary's step asks for: of what serving processes have counted, or of the requests one by one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.experiments.canary import Seen
from pipeline.serving.tally import ERRORS, REFUSED, SLOW, Counted

REFUSES = 400
"""The status from which on a request was not answered."""
FAILED = 500
"""The status from which on an answer is the server's fault."""


def tallied(found: Counted, kinds: Iterable[str], *, canary: int, control: int) -> Seen:
    """Of a stage's counts, for these kinds of events."""
    hit = {kind: found.hit.get(kind, {}) for kind in kinds}
    return Seen(
        requests=found.requests.get(canary, 0) - found.events.get(ERRORS, {}).get(canary, 0),
        events={kind: (units.get(canary, 0), units.get(control, 0)) for kind, units in hit.items()},
    )


def seen(
    unit: npt.NDArray[Any],
    version: npt.NDArray[Any],
    status: npt.NDArray[Any],
    latency_us: npt.NDArray[Any],
    *,
    canary: int,
    control: int,
    promised_us: int,
) -> Seen:
    """Of the exposures since the stage began, [n] each. A unit with many errors counts once, see `excess`.

    `promised_us`: an answer that took longer is slow.
    """

    def units(version_is: int, happened: npt.NDArray[np.bool_]) -> int:
        return len(np.unique(unit[(version == version_is) & happened]))

    kinds = {
        ERRORS: status >= FAILED,
        SLOW: latency_us > promised_us,
        REFUSED: (status >= REFUSES) & (status < FAILED),
    }
    return Seen(
        requests=int(np.sum((version == canary) & (status < REFUSES))),
        events={kind: (units(canary, happened), units(control, happened)) for kind, happened in kinds.items()},
    )
