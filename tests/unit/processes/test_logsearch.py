"""Finding a text in a log: forwards, backwards, over the seams of parts, a part at a time."""

from __future__ import annotations

from pathlib import Path

import pytest

from daemon import logsearch
from daemon.logsearch import search_log
from store.patience import Stopped


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(logsearch, "PART", 10)
    file = tmp_path / "stdout.log"
    file.write_text("one needle\ntwo Needle\nneedle three\n")
    return file


def test_forwards_it_finds_each_place_once_over_the_seams(log: Path) -> None:
    assert search_log(log, "needle", 0, limit=9).hits == [4, 15, 22]
    assert search_log(log, "needle", 5, limit=1).hits == [15]
    assert search_log(log, "needle", 23).hits == []


def test_a_capital_makes_case_count(log: Path) -> None:
    assert search_log(log, "Needle", 0, limit=9).hits == [15]


def test_backwards_it_finds_the_last_before_the_offset(log: Path) -> None:
    assert search_log(log, "needle", 36, backwards=True, limit=9).hits == [22, 15, 4]
    assert search_log(log, "needle", 22, backwards=True).hits == [15]
    assert search_log(log, "needle", 4, backwards=True).hits == []


def test_a_long_log_is_searched_a_part_at_a_time(log: Path) -> None:
    first = search_log(log, "three", 0, budget=10)
    assert first.hits == []
    assert first.next is not None
    assert search_log(log, "three", first.next).hits == [29]


def test_who_goes_away_ends_the_search(log: Path) -> None:
    with pytest.raises(Stopped):
        search_log(log, "three", 0, stop=lambda: True)


def test_a_log_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    assert search_log(tmp_path / "none.log", "a", 0).hits == []
    assert search_log(tmp_path / "none.log", "a", 9, backwards=True).next is None
