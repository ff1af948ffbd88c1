"""A prediction log and its labels in the lake of a home, for tests that read them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, Final

from pipeline.labels.box import LabelBox
from pipeline.labels.record import read_label
from pipeline.predictions.record import Prediction, to_line
from pipeline.predictions.segments import Segment
from pipeline.predictions.take import take
from store.home import Home
from store.lakefiles import live_files

NOW: Final = datetime(2026, 3, 1, tzinfo=UTC)
START: Final = int(NOW.timestamp() * 1e6)
_NAMES = count()


def line(request: str, second: float, scores: Any, inputs: Any = None, **other: Any) -> Prediction:
    """Of version 3, asked so many seconds after START."""
    rows = len(scores)
    asked = {"distance": [500.0] * rows, "carrier": ["AA"] * rows} if inputs is None else inputs
    at = START + int(second * 1e6)
    one = Prediction(request, at, "late", 3, "no unit", None, 1, 9000, 200, asked, {"score": scores})
    return one._replace(**other)


def log(home: Home, lines: Sequence[Prediction], model: str = "late") -> None:
    segment = Segment(home.serving.predictions(model), f"segment{next(_NAMES)}")
    for one in lines:
        segment.append(to_line(one))
    segment.close()
    take(home, keep=timedelta(0), disk=10**9, now=NOW)


def label(home: Home, labels: Sequence[dict[str, Any]], model: str = "late", *, second: float = 9e5) -> None:
    """As they are sent; they arrive so many seconds after START."""
    box = LabelBox(home.serving, 10**9)
    box.put(model, [read_label(one, arrived_us=START + int(second * 1e6)) for one in labels])
    box.close()
    take(home, keep=timedelta(0), disk=10**9, now=NOW)


def files(home: Home, model: str = "late") -> tuple[list[Path], list[Path]]:
    """Of the predictions, and of the labels."""
    return live_files(home.predictions(model)), live_files(home.labels(model))


def plain(document: Any) -> Any:
    """What it is once it was written. Raises ValueError for what JSON does not know."""
    return json.loads(json.dumps(document, allow_nan=False))
