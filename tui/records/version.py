"""One version, now or as it was."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from tui.failure import Failure
from tui.rows.models import versions_as_of

if TYPE_CHECKING:
    from store.wire import VersionDetail
    from tui.client import Client


def version_at(daemon: Client, model: str, version: int, moment: datetime | None) -> VersionDetail:
    """Its aliases and their history until then. Raises Failure, also for a version that was not made yet."""
    detail = daemon.version(model, version)
    if moment is None:
        return detail
    then = versions_as_of([detail.version], daemon.alias_history(model), moment)
    if not then:
        raise Failure(
            f"{model} v{version} was not made yet",
            where=f"{moment:%Y-%m-%d %H:%M:%S}",
            remedy="Esc goes back; ctrl+t goes to another time",
        )
    moved = [move for move in detail.aliases if move.at <= moment]
    return detail.model_copy(update={"version": then[0], "aliases": moved})
