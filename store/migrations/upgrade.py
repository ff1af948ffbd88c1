"""Runs Alembic inside a transaction of ours. Imported only when a migration is due: it costs 0.3 s."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection


def configuration(connection: Connection) -> Config:
    """Alembic's settings: no ini file, our scripts, the caller's connection."""
    config = Config()
    # Config reads % as interpolation, and a path may hold one.
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Brings the schema to `revision`. The caller's transaction makes it all or nothing."""
    command.upgrade(configuration(connection), revision)
