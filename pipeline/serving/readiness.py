"""Whether a version is ready to serve on this machine: pressed, with its programs. Asked without JAX."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from importlib.metadata import version
from typing import Final

from pipeline.serving.buckets import buckets
from pipeline.serving.starting import computing_environment
from pipeline.versions.machine import machine_name
from store.home import ServingDir

FACTS: Final = "pressed.json"
"""What a pressed version says of itself, its function among it."""


def key_of(function: str, sizes: tuple[int, ...], environ: Mapping[str, str] = os.environ) -> str:
    """Names the programs of a function (SHA-256 of its StableHLO) on this machine: 64 hexadecimal digits.

    `sizes`: of batches; `environ`: of the process that runs them.
    """
    parts = [
        function,
        version("jax"),
        version("jaxlib"),
        machine_name(),
        environ.get("XLA_FLAGS", ""),
        str(sizes),
    ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def pressed_key(serving: ServingDir, digest: str, largest_batch: int) -> str | None:
    """The key of a version's programs, if the press has nothing left to do: both folders are there, and folders are
    made whole or not at all.

    Their bytes are verified by whoever loads them.
    """
    try:
        facts = json.loads((serving.pressed(digest) / FACTS).read_bytes())
        key = key_of(facts["function"], buckets(largest_batch), computing_environment(os.environ))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return key if serving.executables(key).is_dir() else None


def is_pressed(serving: ServingDir, digest: str, largest_batch: int) -> bool:
    return pressed_key(serving, digest, largest_batch) is not None
