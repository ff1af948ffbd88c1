"""What the box's disks and networks carried, beside what it computed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "box_rates"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("resource_sample", sa.Column("disk_free", sa.BigInteger(), nullable=True))
    for name in ("received", "sent", "read", "written"):
        op.add_column("resource_sample", sa.Column(name, sa.Float(), nullable=True))
