"""How many runs there are in each state."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "counts"
down_revision = "words"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "run_count",
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("runs", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("state"),
        sqlite_with_rowid=False,
    )
    op.execute(
        """CREATE TRIGGER run_counted AFTER INSERT ON run BEGIN
        INSERT INTO run_count (state, runs) VALUES (new.state, 1) ON CONFLICT (state) DO UPDATE SET runs = runs + 1;
        END"""
    )
    op.execute(
        """CREATE TRIGGER run_counted_else AFTER UPDATE OF state ON run WHEN new.state <> old.state BEGIN
        UPDATE run_count SET runs = runs - 1 WHERE state = old.state;
        INSERT INTO run_count (state, runs) VALUES (new.state, 1) ON CONFLICT (state) DO UPDATE SET runs = runs + 1;
        END"""
    )
    op.execute("INSERT INTO run_count (state, runs) SELECT state, count(*) FROM run GROUP BY state")
