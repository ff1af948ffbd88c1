"""What SQLite keeps up to date by itself, in the transaction that changes a row: an index of the words that rows say,
how many runs there are in each state, and what was made from what.

By triggers, because a row is written in several places, and what is kept has to miss none of them.
"""

from __future__ import annotations

from typing import Final

RUN_WORDS: Final = "run_words"
"""Every three letters in a row that stand in a run's reason or message, and the runs that have them."""
EVENT_WORDS: Final = "event_words"
"""The same of an event's subject and message."""

# Without places and sizes it is a ninth of the size; what it finds is looked at once more (store/listing/terms.py).
_TRIGRAMS: Final = (
    "CREATE VIRTUAL TABLE {index} USING fts5({fields}, content={table}, content_rowid=id, tokenize=trigram, "
    "detail=none, columnsize=0)"
)
STATEMENTS: Final = (
    _TRIGRAMS.format(index=RUN_WORDS, table="run", fields="reason, message"),
    """CREATE TRIGGER run_says AFTER INSERT ON run WHEN new.reason <> '' OR new.message <> '' BEGIN
    INSERT INTO run_words (rowid, reason, message) VALUES (new.id, new.reason, new.message);
    END""",
    """CREATE TRIGGER run_says_else AFTER UPDATE OF reason, message ON run
    WHEN new.reason <> old.reason OR new.message <> old.message BEGIN
    INSERT INTO run_words (run_words, rowid, reason, message) SELECT 'delete', old.id, old.reason, old.message
    WHERE old.reason <> '' OR old.message <> '';
    INSERT INTO run_words (rowid, reason, message) SELECT new.id, new.reason, new.message
    WHERE new.reason <> '' OR new.message <> '';
    END""",
    _TRIGRAMS.format(index=EVENT_WORDS, table="event", fields="subject, message"),
    """CREATE TRIGGER event_says AFTER INSERT ON event BEGIN
    INSERT INTO event_words (rowid, subject, message) VALUES (new.id, new.subject, new.message);
    END""",
    """CREATE TRIGGER run_counted AFTER INSERT ON run BEGIN
    INSERT INTO run_count (state, runs, entered) VALUES (new.state, 1, 1)
    ON CONFLICT (state) DO UPDATE SET runs = runs + 1, entered = entered + 1;
    END""",
    """CREATE TRIGGER run_counted_else AFTER UPDATE OF state ON run WHEN new.state <> old.state BEGIN
    UPDATE run_count SET runs = runs - 1 WHERE state = old.state;
    INSERT INTO run_count (state, runs, entered) VALUES (new.state, 1, 1)
    ON CONFLICT (state) DO UPDATE SET runs = runs + 1, entered = entered + 1;
    END""",
    """CREATE TRIGGER dataset_made AFTER INSERT ON dataset_version BEGIN
    INSERT OR IGNORE INTO dataset_input (given, given_version, dataset, version)
    SELECT key, value, new.dataset, new.version FROM json_each(new.inputs);
    END""",
    """CREATE TRIGGER dataset_made_again AFTER UPDATE OF inputs ON dataset_version WHEN new.inputs <> old.inputs BEGIN
    DELETE FROM dataset_input WHERE (given, given_version, dataset, version) IN
    (SELECT key, value, old.dataset, old.version FROM json_each(old.inputs));
    INSERT OR IGNORE INTO dataset_input (given, given_version, dataset, version)
    SELECT key, value, new.dataset, new.version FROM json_each(new.inputs);
    END""",
    """CREATE TRIGGER training_set_made AFTER INSERT ON training_set BEGIN
    INSERT OR IGNORE INTO training_input (given, given_version, digest)
    SELECT key, value, new.digest FROM json_each(new.inputs);
    END""",
)
"""After the tables. Runs, events, versions and training sets are never deleted; an event and a training set never
change."""
