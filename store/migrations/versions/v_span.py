"""An index for what ran at some moment of the past."""

from __future__ import annotations

from alembic import op

revision = "span"
down_revision = "lists"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("run_span", "run", ["ended_at", "created_at"])
