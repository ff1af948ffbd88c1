"""What a step's result depends upon, as one digest: equal digests mean that there is nothing to do."""

from __future__ import annotations

import hashlib
import json
from typing import Any


def fingerprint(**parts: Any) -> str:
    """sha256 (hexadecimal) over named parts: plain JSON values; their order does not matter."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
