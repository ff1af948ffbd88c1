"""Which old runs go: decided from facts alone, each with its reason."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from store.retention import OldRun, Policy, Verdict, decide

DAY: Final = 86_400_000_000
NOW: Final = 1_000 * DAY
YEAR: Final = Policy(keep_us=365 * DAY, newest=30)
OLD: Final = OldRun(id=1, job="train:late", ended_at=100 * DAY)
KEEPS: Final[dict[str, Any]] = {
    "version": "late 3",
    "newest_of": "flights@12",
    "lineage": "flights@9, from which late 3 was made",
    "waited_for_by": 7,
    "asked_for": 8,
    "alert": 2,
    "last_report_of": "late",
    "last_checks_of": "flights",
    "due_again": "nightly",
    "last_good": ("train:late", "schedule nightly"),
    "last_of_schedule": "nightly",
    "newest": True,
}
REASONS: Final = {
    "version": "it made late 3",
    "newest_of": "it made flights@12, the newest",
    "lineage": "it made flights@9, from which late 3 was made",
    "waited_for_by": "run 7 waits for it",
    "asked_for": "its report had the model trained again by run 8",
    "alert": "alert 2 rests on its report",
    "last_report_of": "its report is the last of monitor late",
    "last_checks_of": "it was the last to check flights",
    "due_again": "schedule nightly may come to its time again",
    "last_good": "it is the last good run of train:late and schedule nightly",
    "last_of_schedule": "it is the last run of schedule nightly",
    "newest": "it is one of the newest 30 of train:late",
}


def one(run: OldRun, policy: Policy = YEAR, now: int = NOW) -> Verdict:
    return decide([run], policy, now)[0]


def test_a_run_on_which_nothing_rests_goes_once_it_is_older_than_the_settings_say() -> None:
    assert one(OLD).goes
    assert one(OLD).why == "it ended on 1970-04-11, and nothing rests on it"
    young = one(replace(OLD, ended_at=NOW - 365 * DAY))
    assert (young.goes, young.old, young.why) == (False, False, "it is not old enough")
    assert one(replace(OLD, ended_at=NOW - 365 * DAY - 1)).goes


@pytest.mark.parametrize("fact", KEEPS)
def test_each_thing_that_rests_on_a_run_keeps_it_and_is_named(fact: str) -> None:
    found = one(replace(OLD, **{fact: KEEPS[fact]}))
    assert (found.goes, found.old, found.why) == (False, True, REASONS[fact])


def test_a_run_that_has_not_ended_stays_whatever_the_settings_say() -> None:
    found = one(replace(OLD, ended_at=None), Policy(keep_us=0, newest=1))
    assert (found.goes, found.why) == (False, "it has not ended")


def test_a_job_has_its_own_time_or_none() -> None:
    policy = Policy(keep_us=None, of_jobs={"train:late": 900 * DAY, "monitor:late": 10 * DAY}, newest=1)
    assert not one(replace(OLD, ended_at=NOW - 899 * DAY), policy).goes
    assert one(replace(OLD, ended_at=NOW - 901 * DAY), policy).goes
    assert one(replace(OLD, job="etl:flights"), policy).why == "runs of etl:flights stay for ever"
    assert policy.shortest == 10 * DAY
    assert Policy(keep_us=None, newest=1).shortest is None


def test_one_that_was_asked_for_stays_with_what_it_was_built_upon() -> None:
    upstream = replace(OLD, id=2, version="late 3")
    verdicts = decide([upstream, replace(OLD, id=3, members=(2,)), replace(OLD, id=4, members=(3,))], YEAR, NOW)
    assert [one.goes for one in verdicts] == [False, False, False]
    assert [one.why for one in verdicts[1:]] == [
        "run 2, which it built upon, stays",
        "run 3, which it built upon, stays",
    ]


def test_one_that_was_asked_for_goes_together_with_what_it_was_built_upon() -> None:
    head, upstream = replace(OLD, id=3, members=(2,)), replace(OLD, id=2)
    assert [one.goes for one in decide([head, upstream], YEAR, NOW)] == [True, True]
    assert not one(head).goes, "what is not looked at stays"
    assert decide([head], YEAR, NOW, gone={2})[0].goes


FACTS = st.fixed_dictionaries({}, optional={name: st.just(value) for name, value in KEEPS.items()})


@st.composite
def histories(draw: st.DrawFn) -> list[OldRun]:
    """Up to a dozen runs, of which later ones may build upon earlier ones."""
    runs = []
    for number in range(1, draw(st.integers(1, 12)) + 1):
        members = draw(st.lists(st.integers(1, number - 1), max_size=3)) if number > 1 else []
        ended = draw(st.none() | st.integers(0, NOW))
        facts = draw(FACTS) if draw(st.booleans()) else {}
        job = draw(st.sampled_from(["train:late", "etl:flights", "monitor:late"]))
        runs.append(OldRun(id=number, job=job, ended_at=ended, members=tuple(members), **facts))
    return draw(st.permutations(runs))


POLICIES = st.builds(
    Policy,
    keep_us=st.none() | st.integers(0, NOW),
    of_jobs=st.dictionaries(st.sampled_from(["train:late", "monitor:late"]), st.none() | st.integers(0, NOW)),
    newest=st.integers(1, 100),
)


@given(histories(), POLICIES)
@example([replace(OLD, id=2, members=(1,)), replace(OLD, id=1, alert=4)], YEAR)
def test_what_goes_is_old_has_ended_and_nothing_that_stays_rests_on_it(runs: list[OldRun], policy: Policy) -> None:
    verdicts = decide(runs, policy, NOW)
    assert [one.run for one in verdicts] == [run.id for run in runs], "each run has its verdict"
    assert all(one.why for one in verdicts)
    going = {one.run for one in verdicts if one.goes}
    for run in runs:
        keep = policy.keep(run.job)
        free = all(not getattr(run, name) for name in KEEPS)
        old = run.ended_at is not None and keep is not None and NOW - run.ended_at > keep
        expected = old and free and set(run.members) <= going
        assert (run.id in going) == expected, run


@given(histories(), POLICIES, st.integers(0, NOW))
def test_a_longer_time_never_lets_more_go(runs: list[OldRun], policy: Policy, more: int) -> None:
    def going(policy: Policy) -> set[int]:
        return {one.run for one in decide(runs, policy, NOW) if one.goes}

    longer = replace(
        policy,
        keep_us=None if policy.keep_us is None else policy.keep_us + more,
        of_jobs={job: None if keep is None else keep + more for job, keep in policy.of_jobs.items()},
    )
    assert going(longer) <= going(policy)


@given(histories(), POLICIES)
def test_what_went_does_not_let_what_stayed_go_because_it_is_gone(runs: list[OldRun], policy: Policy) -> None:
    """A second look, after the first one's runs are away, finds nothing more."""
    first = decide(runs, policy, NOW)
    gone = {one.run for one in first if one.goes}
    left = [replace(run, members=tuple(set(run.members) - gone)) for run in runs if run.id not in gone]
    assert not any(one.goes for one in decide(left, policy, NOW))
