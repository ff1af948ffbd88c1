"""Old runs can be removed: what is left of them, and what may refer to them after that."""

from __future__ import annotations

import re

import sqlalchemy as sa
from alembic import op

revision = "retention"
down_revision = "inputs"
branch_labels = None
depends_on = None

_TRIGGERS = (
    """CREATE TRIGGER run_says_nothing AFTER DELETE ON run WHEN old.reason <> '' OR old.message <> '' BEGIN
    INSERT INTO run_words (run_words, rowid, reason, message) VALUES ('delete', old.id, old.reason, old.message);
    END""",
    """CREATE TRIGGER event_says_nothing AFTER DELETE ON event BEGIN
    INSERT INTO event_words (event_words, rowid, subject, message)
    VALUES ('delete', old.id, old.subject, old.message);
    END""",
    """CREATE TRIGGER run_counted_no_more AFTER DELETE ON run BEGIN
    UPDATE run_count SET runs = runs - 1 WHERE state = old.state;
    END""",
)


def upgrade() -> None:
    _removed_runs()
    for table, column in (
        ("dataset_version", "run"),
        ("check_result", "run"),
        ("training_set", "run"),
        ("run_dependency", "on_run"),
    ):
        _let_go(table, column)
    for trigger in _TRIGGERS:
        op.execute(trigger)


def _removed_runs() -> None:
    op.create_table(
        "removed_run",
        sa.Column("id", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("job", "state", "trigger")),
        sa.Column("schedule", sa.String(), nullable=True),
        sa.Column("scheduled_for", sa.BigInteger(), nullable=True),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("created_at", "ended_at", "removed_at")),
        sa.Column("bytes", sa.BigInteger(), nullable=True),
        sa.Column("event", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    indexes = {
        "removed_run_time": (["schedule", "scheduled_for"], "schedule IS NOT NULL"),
        "removed_run_left": (["id"], "bytes IS NULL"),
        "removed_run_untold": (["id"], "event IS NULL"),
    }
    for name, (columns, where) in indexes.items():
        op.create_index(name, "removed_run", columns, sqlite_where=sa.text(where))


def _let_go(table: str, column: str) -> None:
    """The table without its reference from `column` to a run. SQLite changes that only by making the table anew."""
    bind = op.get_bind()
    query = sa.text("SELECT type, sql FROM sqlite_master WHERE tbl_name = :table AND sql IS NOT NULL")
    made = bind.execute(query, {"table": table}).all()
    (statement,) = (sql for kind, sql in made if kind == "table")
    reference = rf",\s*FOREIGN KEY\s*\(\s*{column}\s*\)\s*REFERENCES run\s*\(\s*id\s*\)"
    free, found = re.subn(reference, "", statement)
    if found != 1:
        raise RuntimeError(f"{table}.{column} has {found} references to runs")
    bind.exec_driver_sql(re.sub(rf'^CREATE TABLE "?{table}"?', f"CREATE TABLE {table}_free", free))
    bind.exec_driver_sql(f"INSERT INTO {table}_free SELECT * FROM {table}")
    bind.exec_driver_sql(f"DROP TABLE {table}")
    bind.exec_driver_sql(f"ALTER TABLE {table}_free RENAME TO {table}")
    for kind, sql in made:
        if kind != "table":
            bind.exec_driver_sql(sql)
