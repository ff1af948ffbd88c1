"""Where scores were computed: on an equal machine they come back bit for bit."""

from __future__ import annotations

from importlib.metadata import version
from typing import Literal

import jax
from pydantic import BaseModel, ConfigDict

from pipeline.versions.machine import machine_name

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
        machine=machine_name(),
        jaxlib=version("jaxlib"),
        precision=precision,
    )
