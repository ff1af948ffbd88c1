"""What was made from what, the other way round, and indexes that lead round long rows."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "inputs"
down_revision = "entered"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("check_result_of_version", "check_result", ["dataset", "version"])
    op.create_index("model_version_newest", "model_version", ["model", "number", "rev"])
    op.create_index("model_version_of_set", "model_version", ["training_set", "model", "number"])
    op.create_table(
        "dataset_input",
        *_given(),
        sa.Column("dataset", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("given", "given_version", "dataset", "version"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "training_input",
        *_given(),
        sa.Column("digest", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("given", "given_version", "digest"),
        sqlite_with_rowid=False,
    )
    op.execute(
        """CREATE TRIGGER dataset_made AFTER INSERT ON dataset_version BEGIN
        INSERT OR IGNORE INTO dataset_input (given, given_version, dataset, version)
        SELECT key, value, new.dataset, new.version FROM json_each(new.inputs);
        END"""
    )
    op.execute(
        """CREATE TRIGGER dataset_made_again AFTER UPDATE OF inputs ON dataset_version
        WHEN new.inputs <> old.inputs BEGIN
        DELETE FROM dataset_input WHERE (given, given_version, dataset, version) IN
        (SELECT key, value, old.dataset, old.version FROM json_each(old.inputs));
        INSERT OR IGNORE INTO dataset_input (given, given_version, dataset, version)
        SELECT key, value, new.dataset, new.version FROM json_each(new.inputs);
        END"""
    )
    op.execute(
        """CREATE TRIGGER training_set_made AFTER INSERT ON training_set BEGIN
        INSERT OR IGNORE INTO training_input (given, given_version, digest)
        SELECT key, value, new.digest FROM json_each(new.inputs);
        END"""
    )
    op.execute(
        "INSERT OR IGNORE INTO dataset_input (given, given_version, dataset, version) "
        "SELECT one.key, one.value, made.dataset, made.version "
        "FROM dataset_version AS made, json_each(made.inputs) AS one"
    )
    op.execute(
        "INSERT OR IGNORE INTO training_input (given, given_version, digest) "
        "SELECT one.key, one.value, made.digest FROM training_set AS made, json_each(made.inputs) AS one"
    )


def _given() -> tuple[sa.Column[str], sa.Column[int]]:
    return (
        sa.Column("given", sa.String(), nullable=False),
        sa.Column("given_version", sa.Integer(), nullable=False),
    )
