"""How often runs came into each state."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "entered"
down_revision = "error_streams"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("run_count", sa.Column("entered", sa.Integer(), server_default="0", nullable=False))
    op.execute("UPDATE run_count SET entered = runs")  # what was tried again before is not known any more
    op.execute("DROP TRIGGER run_counted")
    op.execute("DROP TRIGGER run_counted_else")
    op.execute(
        """CREATE TRIGGER run_counted AFTER INSERT ON run BEGIN
        INSERT INTO run_count (state, runs, entered) VALUES (new.state, 1, 1)
        ON CONFLICT (state) DO UPDATE SET runs = runs + 1, entered = entered + 1;
        END"""
    )
    op.execute(
        """CREATE TRIGGER run_counted_else AFTER UPDATE OF state ON run WHEN new.state <> old.state BEGIN
        UPDATE run_count SET runs = runs - 1 WHERE state = old.state;
        INSERT INTO run_count (state, runs, entered) VALUES (new.state, 1, 1)
        ON CONFLICT (state) DO UPDATE SET runs = runs + 1, entered = entered + 1;
        END"""
    )
