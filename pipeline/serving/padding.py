"""Rows filled up to the size of a batch. The only place that pads."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import numpy.typing as npt

Number = TypeVar("Number", bound=np.generic)


def padded(rows: npt.NDArray[Number], bucket: int) -> npt.NDArray[Number]:
    """[n, d] → [bucket, d], zeros below; the array itself where it has that size already."""
    if len(rows) == bucket:
        return rows
    full = np.zeros((bucket, rows.shape[1]), rows.dtype)
    full[: len(rows)] = rows
    return full
