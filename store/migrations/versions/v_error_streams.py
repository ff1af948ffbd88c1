"""The errors of versions, as far as monitors have followed them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "error_streams"
down_revision = "deliveries"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "watch_stream",
        sa.Column("monitor", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("until_us", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.JSON(), nullable=False),
        sa.Column("report", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("monitor", "version"),
    )
