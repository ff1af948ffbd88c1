"""Where scores were computed: on an equal machine they come back bit for bit."""

from __future__ import annotations

import hashlib
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Literal

import jax
from pydantic import BaseModel, ConfigDict

Precision = Literal["float32", "bfloat16", "as written"]
"""What a network's layers compute in; "as written": a network of the project that was not told."""


class Birthplace(BaseModel):
    """Where the golden scores were computed; on an equal one they come back bit for bit."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    platform: str
    device: str
    machine: str
    """Architecture and digest of the processor's abilities: XLA compiles for what it finds."""
    jaxlib: str
    precision: Precision = "float32"


def birthplace(precision: Precision) -> Birthplace:
    """This machine, as far as the last bit of a score depends upon it."""
    device = jax.devices()[0]
    return Birthplace(
        platform=device.platform,
        device=device.device_kind,
        machine=_machine(),
        jaxlib=version("jaxlib"),
        precision=precision,
    )


def _machine() -> str:
    """The architecture, and on Linux a digest of the processor's flags."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    flags = next((line for line in lines if line.lower().startswith(("flags", "features"))), "")
    return f"{platform.machine()}-{hashlib.sha256(flags.encode()).hexdigest()[:12]}"
