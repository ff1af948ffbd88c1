"""When messages to channels changed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "deliveries"
down_revision = "alerts"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("delivery", sa.Column("rev", sa.Integer(), nullable=False, server_default="0"))
    op.create_index("ix_delivery_rev", "delivery", ["rev"])
