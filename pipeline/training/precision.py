"""What a network's layers compute in: decided once, before it is built, and kept with the version.

bfloat16 has the range of float32, so nothing is scaled against underflow. Parameters and the optimiser's memory stay
float32, in which a small step is not lost on a large weight; so do logits, losses and metrics.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import jax.numpy as jnp

from pipeline.versions.birthplace import Precision

Choice = Literal["auto", "float32", "bfloat16"]


@dataclass(frozen=True)
class PrecisionPlan:
    precision: Precision
    """What the version will say of itself."""
    dtype: Any
    """For the layers' products."""
    note: str = ""
    """Why a network of the project does not compute in what was chosen."""


def plan_precision(choice: Choice, platform: str, own: Callable[..., Any] | None = None) -> PrecisionPlan:
    """Pure. `platform`: cpu, gpu or tpu, as JAX says. `own`: the project's function, where the network is one."""
    wide = choice == "float32" or (choice == "auto" and platform == "cpu")
    if wide:
        return PrecisionPlan("float32", jnp.float32)
    if own is None or takes_dtype(own):
        return PrecisionPlan("bfloat16", jnp.bfloat16)
    note = "the network's function takes no dtype, so it computes as it is written, and not in bfloat16"
    return PrecisionPlan("as written", jnp.float32, note)


def takes_dtype(own: Callable[..., Any]) -> bool:
    """Whether a function, or a class when it is made, has a parameter of that name; **anything does not count."""
    # Of a Flax module inspect sees the metaclass, which takes anything.
    asked = own.__init__ if isinstance(own, type) else own  # type: ignore[misc]
    return "dtype" in inspect.signature(asked).parameters
