"""Alerts, and the messages that tell of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "alerts"
down_revision = "watching"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _alerts()
    op.create_table(
        "delivery",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("sent_at", sa.BigInteger()),
        sa.Column("gave_up_at", sa.BigInteger()),
        sa.Column("fault", sa.String(), nullable=False),
        sa.UniqueConstraint("key"),
    )
    unsent = sa.text("sent_at IS NULL AND gave_up_at IS NULL")
    op.create_index("delivery_waiting", "delivery", ["due_at"], sqlite_where=unsent)
    op.create_table(
        "notification",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("alert", sa.Integer(), sa.ForeignKey("alert.id"), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("delivery", sa.Integer(), sa.ForeignKey("delivery.id")),
    )
    op.create_index("notification_waiting", "notification", ["due_at"], sqlite_where=sa.text("delivery IS NULL"))
    op.create_index("notification_of_alert", "notification", ["alert"])
    op.create_index("notification_of_delivery", "notification", ["delivery"])


def _alerts() -> None:
    op.create_table(
        "alert",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("severity", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.Column("suggestion", sa.String(), nullable=False),
        sa.Column("report", sa.Integer()),
        sa.Column("seen", sa.Integer(), nullable=False),
        sa.Column("reopened", sa.Integer(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("told_at", sa.BigInteger(), nullable=False),
        sa.Column("acknowledged_at", sa.BigInteger()),
        sa.Column("acknowledged_by", sa.String()),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("resolved_at", sa.BigInteger()),
        sa.Column("resolved_by", sa.String()),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("rev", sa.Integer(), nullable=False),
    )
    once = sa.text("state <> 'resolved'")
    op.create_index("alert_once", "alert", ["source", "kind", "subject"], unique=True, sqlite_where=once)
    op.create_index("alert_of_source", "alert", ["source", "resolved_at"])
    op.create_index("alert_state", "alert", ["state", "id"])
    op.create_index("alert_of_model", "alert", ["model", "id"])
    op.create_index("ix_alert_rev", "alert", ["rev"])
