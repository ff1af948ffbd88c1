"""How many files, connections among them, a process may have open."""

from __future__ import annotations

import contextlib
import resource
from typing import Final

MOST: Final = 65_536


def make_room() -> None:
    """As many as its user may let it have, up to MOST. Shells and systemd give a thousand: with those open, a server
    closes whoever comes without a word, and can read no version either."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST if hard == resource.RLIM_INFINITY else min(hard, MOST)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
