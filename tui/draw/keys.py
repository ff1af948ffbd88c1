"""API keys as text."""

from __future__ import annotations

from datetime import datetime

from rich.console import Group, RenderableType
from rich.text import Text

from store.wire import KeysView
from tui.render import Heads, Rows, ago, number_column, table, wide_column


def keys(view: KeysView, now: datetime) -> RenderableType:
    """Whether one is asked for, and each with what it may do."""
    word = "the endpoints ask for a key" if view.required else "the endpoints ask for no key"
    heads: Heads = ["name", "key", wide_column("may ask"), number_column("a second"), "made", "by", "state"]
    rows: Rows = [
        [
            one.name,
            f"ts_{one.id}_…",
            ", ".join(one.models) or "all models",
            "-" if one.rate is None else f"{one.rate:g}",
            ago(one.created_at, now),
            one.created_by,
            Text("✔ in force", style="green")
            if one.revoked_at is None
            else Text(f"revoked {ago(one.revoked_at, now)} by {one.revoked_by}", style="dim"),
        ]
        for one in view.keys
    ]
    drawn = table(heads, rows, empty="there is none: `trainshed keys add NAME` makes one")
    return Group(Text.assemble((word, "bold"), f": {view.why}"), Text(""), drawn)
