"""Which models sleep: a model is awake in every worker or in none, by when anybody asked it last."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.serving.idle import Change, Use, changes, last_wanted

IDLE = 60.0


def awake(asked_s: float | None = None) -> Use:
    return Use(asked_s=asked_s, asleep=False)


def asleep(asked_s: float | None = None) -> Use:
    return Use(asked_s=asked_s, asleep=True)


def told(*workers: dict[str, Use], before: dict[str, float] | None = None, now: float = 1000.0) -> dict[int, Change]:
    numbered = dict(enumerate(workers, 1))
    return changes(numbered, last_wanted(before or {}, workers, now), now, IDLE)


def test_what_nobody_asked_for_its_time_sleeps_in_every_worker_the_spare_too() -> None:
    assert told({"late": awake(61.0)}, {"late": awake()}) == {1: Change(("late",), ()), 2: Change(("late",), ())}
    assert told({"late": awake(59.0)}, {"late": awake()}) == {}


def test_one_worker_that_was_asked_keeps_it_awake_in_the_others_and_wakes_it_there() -> None:
    assert told({"late": awake(1.0)}, {"late": awake(500.0)}, {"late": asleep()}) == {3: Change((), ("late",))}


def test_what_was_never_asked_has_its_time_from_when_it_is_first_seen() -> None:
    assert told({"late": awake()}) == {}
    assert told({"late": awake()}, before={"late": 940.0}) == {1: Change(("late",), ())}


def test_a_worker_that_comes_later_does_as_the_others_and_wakes_nobody() -> None:
    assert told({"late": asleep(200.0)}, {"late": awake()}) == {2: Change(("late",), ())}
    assert told({"late": asleep()}, {"late": awake()}) == {2: Change(("late",), ())}


def test_what_a_worker_knew_that_has_died_is_remembered() -> None:
    wanted = last_wanted({}, [{"late": awake(5.0)}, {"late": awake()}], 1000.0)
    assert wanted == {"late": 995.0}
    assert last_wanted(wanted, [{"late": awake()}], 1010.0) == {"late": 995.0}


def test_models_are_judged_each_by_itself_and_one_that_is_not_served_any_more_is_forgotten() -> None:
    found = told({"late": awake(90.0), "rain": awake(2.0)}, before={"gone": 10.0})
    assert found == {1: Change(("late",), ())}
    assert last_wanted({"gone": 10.0}, [{"late": awake(1.0)}], 1000.0) == {"late": 999.0}


uses = st.builds(Use, asked_s=st.none() | st.floats(0, 500), asleep=st.booleans())
crews = st.dictionaries(st.integers(1, 4), st.dictionaries(st.sampled_from(["a", "b"]), uses), min_size=1)


@pytest.mark.slow
@given(crews, st.dictionaries(st.sampled_from(["a", "b"]), st.floats(0, 1000)))
def test_whoever_does_as_told_is_told_nothing_more_and_all_workers_agree(
    crew: dict[int, dict[str, Use]], before: dict[str, float]
) -> None:
    wanted = last_wanted(before, crew.values(), 1000.0)
    first = changes(crew, wanted, 1000.0, IDLE)
    obeyed = {
        number: {
            model: Use(asked_s=use.asked_s, asleep=_after(use.asleep, model, first.get(number)))
            for model, use in found.items()
        }
        for number, found in crew.items()
    }
    assert changes(obeyed, wanted, 1000.0, IDLE) == {}
    for model in ("a", "b"):
        assert len({found[model].asleep for found in obeyed.values() if model in found}) <= 1
        asked = [use.asked_s for found in crew.values() if (use := found.get(model)) and use.asked_s is not None]
        if asked and min(asked) < IDLE:
            assert not any(found[model].asleep for found in obeyed.values() if model in found)


def _after(asleep: bool, model: str, change: Change | None) -> bool:
    if change is None:
        return asleep
    return model in change.sleep or (asleep and model not in change.wake)
