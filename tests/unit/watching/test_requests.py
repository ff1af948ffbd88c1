"""Requests are read from files as they were written, once small ones were put together, and once old rows went."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from pathlib import Path

from pipeline.predictions.tidy import MANY, tidy
from pipeline.versions.signature import FeatureKind
from pipeline.watching.logtable import LogTable
from pipeline.watching.requests import requests
from pipeline.watching.windows import Window
from store.home import Home
from tests.unit.watching.log import NOW, START, files, line, log

DAY = timedelta(days=1)
KINDS: dict[str, FeatureKind] = {"distance": "numeric", "carrier": "categorical", "$output": "numeric"}
HOUR = Window(START, START + 3_600_000_000)


def written(home: Home) -> None:
    """In many small files, each with a request of an hour and one that is old."""
    for number in range(MANY + 1):
        log(home, [line(f"r{number}", 60.0 + number, [0.5]), line(f"old{number}", -20.0 * 86_400, [0.5])])


def read(home: Home) -> Counter[str]:
    after = files(home)[0]
    assert len(list(requests(after, 3, HOUR))) == MANY + 1
    (batch,) = LogTable(after, 3, KINDS, "score").batches(HOUR)
    return Counter(batch.rows.column("carrier").to_pylist())


def test_files_that_were_put_together_are_read(tmp_path: Path) -> None:
    home = Home(tmp_path)
    written(home)
    assert tidy(home.predictions("late"), "at", None, NOW).joined == MANY + 1
    assert read(home) == {"AA": MANY + 1}


def test_files_of_which_old_rows_went_are_read(tmp_path: Path) -> None:
    """The lake writes them with views of words, which Arrow compares with no word: with `keep_rows` every look ended
    with that, once rows were old enough."""
    home = Home(tmp_path)
    written(home)
    assert tidy(home.predictions("late"), "at", 10 * DAY, NOW).forgotten == MANY + 1
    assert read(home) == {"AA": MANY + 1}
