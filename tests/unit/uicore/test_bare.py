"""What of the command line opens the UI without the command line's own library being loaded."""

from __future__ import annotations

from typing import Any

import pytest

from tui.start import bare


@pytest.mark.parametrize(
    ("arguments", "chosen"),
    [
        ([], {}),
        (["--read-only", "--utc"], {"read_only": True, "utc": True}),
        (["--theme", "light", "--lite", "--mouse"], {"theme": "light", "lite": True, "mouse": True}),
        (["--theme=light", "--project=/srv/shop"], {"theme": "light", "project": "/srv/shop"}),
        (["--project", "shop"], {"project": "shop"}),
    ],
)
def test_options_alone_open_the_ui(arguments: list[str], chosen: dict[str, Any]) -> None:
    assert bare(arguments) == chosen


@pytest.mark.parametrize(
    "arguments",
    [["status"], ["--help"], ["--json"], ["--plain"], ["--version"], ["--theme"], ["--lite", "runs"], ["--colour"]],
)
def test_everything_else_is_for_the_command_line_to_judge(arguments: list[str]) -> None:
    assert bare(arguments) is None
