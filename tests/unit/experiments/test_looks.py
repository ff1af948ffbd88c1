"""Looks are kept as a bounded number of them: the past ever more coarsely, the first and the last always."""

from __future__ import annotations

from typing import Any

from pipeline.experiments.looks import with_look


def look(at: int, units: int | None = None) -> dict[str, Any]:
    return {"at": at, "units": at if units is None else units}


def test_of_many_looks_a_bounded_number_is_kept_from_the_first_to_the_last() -> None:
    kept: Any = []
    for at in range(10_000):
        kept = with_look(kept, look(at), most=20)
        assert len(kept) <= 20
        assert (kept[0]["at"], kept[-1]["at"]) == (0, at)
    times = [one["at"] for one in kept]
    assert times == sorted(times)


def test_a_look_that_says_what_the_last_one_said_is_not_kept() -> None:
    kept = with_look([look(1, 5)], look(2, 5))
    assert kept == [look(1, 5)]
    assert with_look(kept, look(3, 6)) == [look(1, 5), look(3, 6)]
