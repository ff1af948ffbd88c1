"""Indexes for lists by position."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "lists"
down_revision = "box_rates"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("run_actor", "run", ["actor", "id"])
    op.create_index("run_schedule", "run", ["schedule", "id"])
    op.create_index("run_priority", "run", ["priority", "id"])
    op.create_index("run_created", "run", ["created_at"])
    op.create_index("run_ended", "run", ["ended_at"])
    op.create_index("run_took", "run", [sa.text("ended_at - started_at")])
    op.create_index("run_said", "run", ["id", "reason", "message"])
    op.create_index("metric_latest_value", "metric_latest", ["key", "value", "run"])
    op.create_index("event_actor", "event", ["actor", "id"])
