"""Runs Alembic inside a transaction of ours. Imported only when a migration is due: it costs 0.3 s."""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

from store.migrations import OURS, History


def configuration(connection: Connection, history: History = OURS) -> Config:
    """Alembic's settings: no ini file, the history's scripts, the caller's connection."""
    config = Config()
    # Config reads % as interpolation, and a path may hold one.
    config.set_main_option("script_location", str(history.scripts).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def upgrade(connection: Connection, history: History = OURS) -> None:
    """Brings the schema to the history's head. The caller's transaction makes it all or nothing."""
    command.upgrade(configuration(connection, history), "head")
