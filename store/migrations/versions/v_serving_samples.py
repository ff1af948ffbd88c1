"""What endpoints have answered, over time."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "serving_samples"
down_revision = "api_keys"
branch_labels = None
depends_on = None


def upgrade() -> None:
    counts = ("requests", "errors", "refused", "rows", "runs", "waiting", "dropped", "compilations")
    op.create_table(
        "serving_sample",
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in counts),
        sa.Column("latency", sa.String(), nullable=False),
        sa.Column("queued", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("at", "model", "version"),
        sqlite_with_rowid=False,
    )
