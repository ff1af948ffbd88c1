"""What kind of processor this is: XLA compiles for the abilities that it finds."""

from __future__ import annotations

import hashlib
import platform
from pathlib import Path


def machine_name() -> str:
    """The architecture, and on Linux a digest of the processor's flags."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    flags = next((line for line in lines if line.lower().startswith(("flags", "features"))), "")
    return f"{platform.machine()}-{hashlib.sha256(flags.encode()).hexdigest()[:12]}"
