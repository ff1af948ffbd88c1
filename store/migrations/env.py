"""Alembic's environment: the connection comes from the caller, and so does the transaction."""

from __future__ import annotations

from alembic import context

from store.schema import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_as_batch=True,  # SQLite alters a table by rebuilding it
    transactional_ddl=True,
    compare_server_default=True,
)
with context.begin_transaction():
    context.run_migrations()
