"""`daemon.log`: a line for each thing that happened, with a sentence for people and `action=…` for programs."""

from __future__ import annotations

import logging
import time
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any, Final

LOG_BYTES: Final = 5_000_000
"""Of the file, and as much again of the one before it."""
_OWN: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}
"""Fields that every log record has; the rest came by `extra`."""


class Line(logging.Formatter):
    """`2026-03-01T02:00:00.123Z info  run 12 started  action=run_started run=12`, a traceback indented below."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s.%(msecs)03dZ %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%S")

    def converter(self, seconds: float | None) -> time.struct_time:
        return time.gmtime(seconds)

    def formatMessage(self, record: logging.LogRecord) -> str:
        record.levelname = record.levelname.lower()
        extras = {name: value for name, value in vars(record).items() if name not in _OWN}
        return super().formatMessage(record) + "".join(f"  {name}={_word(value)}" for name, value in extras.items())


def open_journal(file: Path, *, limit: int = LOG_BYTES) -> logging.Handler:
    """Sends the whole program's log there. The handler is returned for whoever wants to take it away again."""
    handler = RotatingFileHandler(file, maxBytes=limit, backupCount=1, encoding="utf-8")
    handler.setFormatter(Line())
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    # These tell of each of their own steps at the level of info.
    for chatty in ("httpx", "httpcore", "apscheduler", "alembic", "uvicorn"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    return handler


def _word(value: Any) -> str:
    text = str(value)
    return repr(text) if any(c.isspace() for c in text) or not text else text
