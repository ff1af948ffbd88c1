"""Memory that arrays were freed from is used again, as far as the operator did not say otherwise."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the C library is another")
TOUCHES = """
import os, resource, sys
import numpy as np
from pipeline.process.pages import keep_freed_memory
if sys.argv[1] == "kept":
    keep_freed_memory(os.environ)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(100):
    [np.ones(2**16) for _ in range(4)]
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def first_touches(how: str, environment: dict[str, str]) -> int:
    """Of pages, while four arrays of 512 kB at a time are made, a hundred times."""
    command = [sys.executable, "-c", TOUCHES, how]
    done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=True)
    return int(done.stdout)


def test_arrays_are_made_in_memory_that_others_were_freed_from() -> None:
    small = {"MALLOC_MMAP_THRESHOLD_": "131072", "MALLOC_TRIM_THRESHOLD_": "131072"}
    assert first_touches("kept", {}) < 2_000
    assert first_touches("as it is", {}) > 20_000
    assert first_touches("kept", small) > 20_000, "what the operator set stays"
