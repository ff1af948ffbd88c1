"""A crash of the UI writes a report and says where it is; the terminal is restored by Textual before we speak."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from tui.clipboard import write_copy


def report(error: BaseException, keys: Sequence[str], folder: Path, now: datetime) -> Path:
    """Writes what is needed to find the fault, without anything of what was on screen. Raises OSError."""
    import platform  # none of which the UI has to load where nothing fails
    import traceback
    from importlib.metadata import version

    parts = ("trainshed", "textual", "rich")
    lines = [
        f"{now.isoformat(timespec='seconds')}  the terminal UI failed",
        "  ".join(f"{part} {version(part)}" for part in parts) + f"  python {platform.python_version()}",
        f"last actions: {', '.join(keys) or 'none'}",
        "",
        *traceback.format_exception(error),
    ]
    return write_copy(folder, f"tui-crash-{now:%Y%m%d-%H%M%S}.txt", "\n".join(lines))
