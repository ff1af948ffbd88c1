"""What a canary's step asks for, counted from the lines of the prediction log."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.experiments.canary import Seen

FAILED = 500
"""The status from which on an answer is the server's fault."""


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

    kinds = {"errors": status >= FAILED, "slow answers": latency_us > promised_us}
    return Seen(
        requests=int(np.sum(version == canary)),
        events={kind: (units(canary, happened), units(control, happened)) for kind, happened in kinds.items()},
    )
