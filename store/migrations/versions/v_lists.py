"""Indexes for lists by position, and the outline of long curves."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "lists"
down_revision = "box_rates"
branch_labels = None
depends_on = None


# Ranges of 512 steps with at least 32 points, as in store/ranges.py; the last range of a curve is read by its points.
_OUTLINE = """
INSERT INTO metric_range (run, key, range, low_step, low, high_step, high)
SELECT lowest.run, lowest.key, lowest.range, lowest.step, lowest.value, highest.step, highest.value
FROM (SELECT m.run, m.key, m.step / 512 AS range, m.step, min(m.value) AS value, count(*) AS points
      FROM metric_latest l CROSS JOIN metric m ON m.run = l.run AND m.key = l.key
      WHERE l.step >= 512 AND m.step >= 0 GROUP BY m.run, m.key, m.step / 512) AS lowest
JOIN (SELECT m.run, m.key, m.step / 512 AS range, m.step, max(m.value) AS value
      FROM metric_latest l CROSS JOIN metric m ON m.run = l.run AND m.key = l.key
      WHERE l.step >= 512 AND m.step >= 0 GROUP BY m.run, m.key, m.step / 512) AS highest USING (run, key, range)
WHERE lowest.points >= 32
"""


def upgrade() -> None:
    _indexes()
    _outline()


def _outline() -> None:
    op.create_table(
        "metric_range",
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("run", "key", "range", "low_step")),
        sa.Column("low", sa.Float(), nullable=True),
        sa.Column("high_step", sa.Integer(), nullable=False),
        sa.Column("high", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("run", "key", "range"),
        sqlite_with_rowid=False,
    )
    op.execute(_OUTLINE)


def _indexes() -> None:
    op.create_index("run_actor", "run", ["actor", "id"])
    op.create_index("run_schedule", "run", ["schedule", "id"])
    op.create_index("run_priority", "run", ["priority", "id"])
    op.create_index("run_created", "run", ["created_at"])
    op.create_index("run_ended", "run", ["ended_at"])
    op.create_index("run_took", "run", [sa.text("ended_at - started_at")])
    op.create_index("run_said", "run", ["id", "reason", "message"])
    op.create_index("metric_latest_value", "metric_latest", ["key", "value", "run"])
    op.create_index("event_actor", "event", ["actor", "id"])
