"""Settings of one run as they are typed: `training.epochs=5`. The command line and the terminal UI read them alike."""

from __future__ import annotations

import shlex
import tomllib
from collections.abc import Sequence
from typing import Any

from tui.failure import Usage


def setting(words: str) -> tuple[str, Any]:
    """`"a.b=3"` → ("a.b", 3): a TOML value, or else the text as it stands. Raises Usage."""
    name, equals, text = words.partition("=")
    if not equals or not name.strip():
        raise Usage(f"{words!r} is not a setting", remedy="write --set name=value, such as --set training.epochs=5")
    try:
        return name.strip(), tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return name.strip(), text


def split(line: str) -> list[str]:
    """`epochs=5 note="a b"` → its settings, as the shell would split them. Raises Usage."""
    try:
        return shlex.split(line)
    except ValueError as error:
        raise Usage(f"the settings cannot be read: {error}", remedy="close the quotation marks") from None


def settings(words: Sequence[str]) -> dict[str, Any]:
    """Raises Usage for the first that is none."""
    return dict(setting(one) for one in words)
