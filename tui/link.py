"""How the UI stands to the daemon. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Literal

from tui.table.column import Cell


@dataclass(frozen=True)
class Link:
    """`since`: when the daemon was last heard, of a link that is cut; the moment that is shown, in the past."""

    state: Literal["asking", "live", "cut", "past"] = "asking"
    since: datetime | None = None

    def badge(self, zone: tzinfo | None) -> Cell:
        """Glyph and word, for the first line; its time in the zone of all others."""
        since = None if self.since is None else self.since.astimezone(zone)
        match self.state:
            case "asking":
                return Cell("… asking", "dim")
            case "live":
                return Cell("● live", "good")
            case "past":
                moment = "" if since is None else f"{since:%Y-%m-%d %H:%M:%S}"
                return Cell(f"◀ as of {moment}", "warn")
            case _:
                heard = "never heard" if since is None else f"as of {since:%H:%M:%S}"
                return Cell(f"▲ no daemon, {heard}", "bad")
