"""An index of the words that runs and events say."""

from __future__ import annotations

from alembic import op

revision = "words"
down_revision = "span"
branch_labels = None
depends_on = None

_OPTIONS = "content_rowid=id, tokenize=trigram, detail=none, columnsize=0"


def upgrade() -> None:
    op.execute(f"CREATE VIRTUAL TABLE run_words USING fts5(reason, message, content=run, {_OPTIONS})")
    op.execute(f"CREATE VIRTUAL TABLE event_words USING fts5(subject, message, content=event, {_OPTIONS})")
    _triggers()
    op.execute(
        "INSERT INTO run_words (rowid, reason, message) "
        "SELECT id, reason, message FROM run WHERE reason <> '' OR message <> ''"
    )
    op.execute("INSERT INTO event_words (rowid, subject, message) SELECT id, subject, message FROM event")


def _triggers() -> None:
    op.execute(
        """CREATE TRIGGER run_says AFTER INSERT ON run WHEN new.reason <> '' OR new.message <> '' BEGIN
        INSERT INTO run_words (rowid, reason, message) VALUES (new.id, new.reason, new.message);
        END"""
    )
    op.execute(
        """CREATE TRIGGER run_says_else AFTER UPDATE OF reason, message ON run
        WHEN new.reason <> old.reason OR new.message <> old.message BEGIN
        INSERT INTO run_words (run_words, rowid, reason, message) SELECT 'delete', old.id, old.reason, old.message
        WHERE old.reason <> '' OR old.message <> '';
        INSERT INTO run_words (rowid, reason, message) SELECT new.id, new.reason, new.message
        WHERE new.reason <> '' OR new.message <> '';
        END"""
    )
    op.execute(
        """CREATE TRIGGER event_says AFTER INSERT ON event BEGIN
        INSERT INTO event_words (rowid, subject, message) VALUES (new.id, new.subject, new.message);
        END"""
    )
