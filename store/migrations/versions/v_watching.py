"""What monitors have found."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "watching"
down_revision = "serving_samples"
branch_labels = None
depends_on = None


def upgrade() -> None:
    plain = ("measures", "limits", "performance", "estimate", "service")
    op.create_table(
        "watch_window",
        sa.Column("monitor", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("start_us", sa.BigInteger(), nullable=False),
        sa.Column("end_us", sa.BigInteger(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("labelled", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.JSON(), nullable=False) for name in plain),
        sa.Column("token", sa.String(), nullable=False),
        sa.Column("report", sa.Integer(), nullable=True),
        sa.Column("restated_at", sa.BigInteger(), nullable=True),
        sa.Column("rev", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("monitor", "version", "start_us"),
    )
    op.create_index("watch_window_end", "watch_window", ["monitor", "end_us"])
    op.create_index("ix_watch_window_rev", "watch_window", ["rev"])
    op.create_table(
        "drift_report",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("monitor", sa.String(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=True),
        sa.Column("until", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("windows", sa.Integer(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("findings", sa.JSON(), nullable=False),
        sa.Column("rev", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["run"], ["run.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("run"),
    )
    op.create_index("drift_report_of_monitor", "drift_report", ["monitor", "id"])
    op.create_index("ix_drift_report_rev", "drift_report", ["rev"])
