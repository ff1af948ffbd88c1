"""The first tables."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def _required(kind: sa.types.TypeEngine[Any], *names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, kind, nullable=False) for name in names]


def _optional(kind: sa.types.TypeEngine[Any], *names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, kind, nullable=True) for name in names]


def upgrade() -> None:
    _whole()
    _run()
    _attempts()
    _points()
    _left_behind()
    _data()
    _models()
    _schedules()
    _history()


def _whole() -> None:
    """The record itself."""
    op.create_table(
        "meta",
        *_required(sa.String(), "key", "value"),
        sa.PrimaryKeyConstraint("key"),
    )


def _run() -> None:
    """Runs."""
    op.create_table(
        "run",
        *_required(sa.Integer(), "id"),
        *_required(sa.String(), "job", "kind", "target", "state", "reason"),
        *_optional(sa.JSON(), "fault"),
        *_required(sa.String(), "trigger", "actor"),
        *_optional(sa.String(), "schedule"),
        *_optional(sa.BigInteger(), "scheduled_for"),
        *_optional(sa.Integer(), "group"),
        *_required(sa.JSON(), "params"),
        *_required(sa.Boolean(), "force"),
        *_required(sa.Integer(), "priority"),
        *_required(sa.String(), "pool"),
        *_required(sa.Integer(), "slots", "attempt", "max_attempts"),
        *_required(sa.Float(), "retry_delay_s"),
        *_optional(sa.Float(), "timeout_s", "stall_s"),
        *_required(sa.BigInteger(), "created_at"),
        *_optional(sa.BigInteger(), "not_before", "started_at", "ended_at", "last_event_at"),
        *_optional(sa.String(), "cancel_requested"),
        *_optional(sa.Float(), "done", "total"),
        *_required(sa.String(), "unit", "message"),
        *_optional(sa.Float(), "eta_s"),
        *_required(sa.String(), "fingerprint"),
        *_required(sa.Integer(), "rev"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("schedule", "scheduled_for", name="run_once_per_time"),
    )
    op.create_index("ix_run_group", "run", ["group"])
    op.create_index("ix_run_rev", "run", ["rev"])
    op.create_index("run_job", "run", ["job", "id"])
    op.create_index("run_state", "run", ["state", "id"])


def _attempts() -> None:
    """Their dependencies and attempts."""
    op.create_table(
        "run_dependency",
        *_required(sa.Integer(), "run", "on_run"),
        sa.ForeignKeyConstraint(["on_run"], ["run.id"]),
        sa.ForeignKeyConstraint(["run"], ["run.id"]),
        sa.PrimaryKeyConstraint("run", "on_run"),
    )
    op.create_index("ix_run_dependency_on_run", "run_dependency", ["on_run"])
    op.create_table(
        "attempt",
        *_required(sa.Integer(), "run", "number"),
        *_required(sa.String(), "nonce", "state", "reason", "boot_id"),
        *_optional(sa.Integer(), "pid"),
        *_optional(sa.Float(), "pid_created"),
        *_optional(sa.JSON(), "lease"),
        *_optional(sa.Integer(), "exit_code", "signal"),
        *_optional(sa.BigInteger(), "started_at", "ended_at"),
        *_required(sa.Integer(), "spool_offset", "spool_seq"),
        *_optional(sa.BigInteger(), "peak_rss"),
        *_optional(sa.Float(), "cpu_s"),
        sa.ForeignKeyConstraint(["run"], ["run.id"]),
        sa.PrimaryKeyConstraint("run", "number"),
    )


def _points() -> None:
    """What they were given and what they measured."""
    op.create_table(
        "metric_key",
        *_required(sa.Integer(), "id"),
        *_required(sa.String(), "name"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
    )
    op.create_table(
        "metric",
        *_required(sa.Integer(), "run", "key", "step"),
        *_required(sa.BigInteger(), "at"),
        *_optional(sa.Float(), "value"),
        sa.PrimaryKeyConstraint("run", "key", "step"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "metric_latest",
        *_required(sa.Integer(), "run", "key", "step"),
        *_required(sa.BigInteger(), "at"),
        *_optional(sa.Float(), "value"),
        sa.PrimaryKeyConstraint("run", "key"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "param",
        *_required(sa.Integer(), "run"),
        *_required(sa.String(), "name"),
        *_optional(sa.JSON(), "value"),
        sa.ForeignKeyConstraint(["run"], ["run.id"]),
        sa.PrimaryKeyConstraint("run", "name"),
    )


def _left_behind() -> None:
    """What they left behind and used."""
    op.create_table(
        "artifact",
        *_required(sa.Integer(), "run"),
        *_required(sa.String(), "name", "kind", "path", "digest"),
        *_required(sa.BigInteger(), "bytes", "created_at"),
        sa.ForeignKeyConstraint(["run"], ["run.id"]),
        sa.PrimaryKeyConstraint("run", "name"),
    )
    op.create_table(
        "checkpoint",
        *_required(sa.Integer(), "run", "step"),
        *_required(sa.String(), "path", "digest"),
        *_required(sa.BigInteger(), "bytes", "created_at"),
        sa.ForeignKeyConstraint(["run"], ["run.id"]),
        sa.PrimaryKeyConstraint("run", "step"),
    )
    op.create_table(
        "resource_sample",
        *_required(sa.Integer(), "run"),
        *_required(sa.BigInteger(), "at"),
        *_required(sa.Float(), "cpu_percent"),
        *_required(sa.BigInteger(), "rss"),
        *_optional(sa.BigInteger(), "gpu_memory"),
        sa.PrimaryKeyConstraint("run", "at"),
        sqlite_with_rowid=False,
    )


def _data() -> None:
    """Datasets."""
    op.create_table(
        "dataset_version",
        *_required(sa.String(), "dataset"),
        *_required(sa.Integer(), "version"),
        *_required(sa.String(), "kind"),
        *_required(sa.Integer(), "run", "rows", "added", "removed", "quarantined"),
        *_required(sa.BigInteger(), "bytes"),
        *_required(sa.JSON(), "columns", "schema_changes", "inputs"),
        *_required(sa.String(), "fingerprint"),
        *_optional(sa.BigInteger(), "newest"),
        *_required(sa.String(), "note"),
        *_required(sa.JSON(), "sample"),
        *_required(sa.BigInteger(), "created_at"),
        *_required(sa.Integer(), "rev"),
        sa.ForeignKeyConstraint(["run"], ["run.id"]),
        sa.PrimaryKeyConstraint("dataset", "version"),
    )
    op.create_index("ix_dataset_version_rev", "dataset_version", ["rev"])
    op.create_index("ix_dataset_version_run", "dataset_version", ["run"])
    op.create_table(
        "check_result",
        *_required(sa.Integer(), "id"),
        *_required(sa.String(), "dataset"),
        *_optional(sa.Integer(), "version"),
        *_required(sa.Integer(), "run"),
        *_required(sa.String(), "name", "kind", "severity", "outcome"),
        *_required(sa.Integer(), "failing", "total"),
        *_required(sa.Float(), "allowed"),
        *_required(sa.String(), "detail"),
        *_required(sa.JSON(), "sample"),
        *_required(sa.BigInteger(), "created_at"),
        sa.ForeignKeyConstraint(["run"], ["run.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_check_result_dataset", "check_result", ["dataset"])
    op.create_index("ix_check_result_run", "check_result", ["run"])


def _models() -> None:
    """Models."""
    op.create_table(
        "training_set",
        *_required(sa.String(), "digest", "model"),
        *_required(sa.Integer(), "run"),
        *_required(sa.String(), "path"),
        *_required(sa.Integer(), "rows"),
        *_required(sa.JSON(), "columns", "inputs"),
        *_required(sa.String(), "query"),
        *_required(sa.BigInteger(), "created_at"),
        sa.ForeignKeyConstraint(["run"], ["run.id"]),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_table(
        "model_version",
        *_required(sa.String(), "model"),
        *_required(sa.Integer(), "number", "run"),
        *_required(sa.String(), "digest", "path", "task", "objective"),
        *_required(sa.JSON(), "metrics", "baseline", "evidence", "signature", "lineage"),
        *_optional(sa.JSON(), "verdict"),
        *_required(sa.String(), "training_set", "fingerprint"),
        *_required(sa.BigInteger(), "created_at"),
        *_required(sa.Integer(), "rev"),
        sa.ForeignKeyConstraint(["run"], ["run.id"]),
        sa.PrimaryKeyConstraint("model", "number"),
        sa.UniqueConstraint("run"),
    )
    op.create_index("ix_model_version_rev", "model_version", ["rev"])
    op.create_table(
        "alias_event",
        *_required(sa.Integer(), "id"),
        *_required(sa.String(), "model", "alias", "action"),
        *_optional(sa.Integer(), "from_version"),
        *_required(sa.Integer(), "to_version"),
        *_required(sa.String(), "actor", "reason"),
        *_required(sa.Boolean(), "overridden"),
        *_required(sa.JSON(), "gates"),
        *_required(sa.BigInteger(), "created_at"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("alias_now", "alias_event", ["model", "alias", "id"])


def _schedules() -> None:
    """When jobs run."""
    op.create_table(
        "schedule",
        *_required(sa.String(), "name", "job"),
        *_required(sa.JSON(), "spec"),
        *_required(sa.String(), "timezone"),
        *_required(sa.JSON(), "params"),
        *_required(sa.Boolean(), "upstream"),
        *_required(sa.String(), "overlap", "catch_up"),
        *_required(sa.Float(), "catch_up_window_s", "jitter_s"),
        *_optional(sa.Integer(), "pause_after_failures"),
        *_required(sa.Boolean(), "enabled"),
        *_required(sa.String(), "paused_reason", "broken"),
        *_required(sa.Integer(), "failures"),
        *_optional(sa.BigInteger(), "next_at", "last_at"),
        *_required(sa.Integer(), "rev"),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_index("ix_schedule_rev", "schedule", ["rev"])
    op.create_index("schedule_due", "schedule", ["enabled", "next_at"])


def _history() -> None:
    """What happened."""
    op.create_table(
        "event",
        *_required(sa.Integer(), "id"),
        *_required(sa.BigInteger(), "created_at"),
        *_required(sa.String(), "actor", "kind", "subject", "message"),
        *_required(sa.JSON(), "data"),
        *_required(sa.Integer(), "rev"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_event_created_at", "event", ["created_at"])
    op.create_index("ix_event_kind", "event", ["kind"])
    op.create_index("ix_event_rev", "event", ["rev"])
    op.create_index("ix_event_subject", "event", ["subject"])
