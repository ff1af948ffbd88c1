"""Comparisons on live traffic, and shadows."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "comparisons"
down_revision = "counts"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "comparison",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("control", sa.Integer(), nullable=False),
        sa.Column("split", sa.JSON(), nullable=False),
        sa.Column("plan", sa.JSON(), nullable=False),
        sa.Column("stage", sa.Integer(), nullable=False),
        sa.Column("state", sa.JSON(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("ended_by", sa.String()),
        sa.Column("began_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger()),
        sa.Column("rev", sa.Integer(), nullable=False),
    )
    running = sa.text("status = 'running'")
    op.create_index("comparison_running", "comparison", ["model"], unique=True, sqlite_where=running)
    op.create_index("comparison_of_model", "comparison", ["model", "id"])
    op.create_index("ix_comparison_rev", "comparison", ["rev"])
    op.create_table(
        "shadow",
        sa.Column("model", sa.String(), primary_key=True, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("share", sa.Float(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("rev", sa.Integer(), nullable=False),
    )
    op.create_index("ix_shadow_rev", "shadow", ["rev"])
