"""When a report has a model trained anew: what holds whatever is reported, and the reasons."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.watching.rules import Decision, Facts, Reported, Rule, Trained, decide

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
RULE = Rule()


def report(number: int, word: str, until: datetime | None = None) -> Reported:
    """`b`ad, `g`ood, or `n`ot yet; each over windows of its own, unless `until` says until when."""
    found = [("drift", "distance has drifted")] if word == "b" else [("service", "p99 is slow")] if word == "g" else []
    until = until or NOW + number * HOUR
    return Reported(id=number, until=until, said=word != "n", findings=found)  # type: ignore[arg-type]  # plain words


def facts(words: str, *trained: timedelta, busy: str = "") -> Facts:
    """`words`: a letter a report, oldest first; `trained`: how long ago."""
    return Facts(
        reports=[report(number, word) for number, word in enumerate(words, 1)],
        trained=[Trained(run=number, at=NOW - ago) for number, ago in enumerate(trained, 1)],
        busy=busy,
    )


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (facts(""), "there is no report yet"),
        (facts("bbg"), "report 3 has found no drift or performance"),
        (facts("bbn"), "report 3 cannot say anything yet"),
        (facts("bgb"), "1 report in a row with drift or performance; 2 are needed, each over newer windows"),
        (facts("bb", busy="run 7 (train:late) waits"), "distance has drifted, but run 7 (train:late) waits"),
        (
            facts("bb", 2 * DAY + 3 * HOUR),
            "distance has drifted, but this rule had it trained 2d 3h ago, and it cools down for 7d: 4d 21h are left",
        ),
        (
            facts("bb", 8 * DAY, 16 * DAY, 24 * DAY),
            "distance has drifted, but this rule had it trained 3 times in 30d, and its budget is 3: it may be that "
            "training does not help",
        ),
    ],
)
def test_why_nothing_is_done(given: Facts, reason: str) -> None:
    assert decide(RULE, given, NOW) == Decision(do="nothing", reason=reason)


@pytest.mark.parametrize("given", [facts("gbb"), facts("bnb"), facts("bb", 8 * DAY, 16 * DAY, 31 * DAY)])
def test_what_is_bad_twice_in_a_row_has_it_trained(given: Facts) -> None:
    made = decide(RULE, given, NOW)
    assert made == Decision(do="retrain", reason="distance has drifted, in 2 reports in a row; 2 are needed")


def test_many_findings_are_counted_and_only_those_the_rule_is_about_count() -> None:
    found = [("drift", f"c{number} has drifted") for number in range(9)]
    many = Reported(id=1, until=NOW, said=True, findings=found)  # type: ignore[arg-type]  # plain words
    once = Rule(reports=1)
    reason = "c0 has drifted, c1 has drifted, c2 has drifted and 6 more, in 1 report in a row; 1 is needed"
    assert decide(once, Facts(reports=[many]), NOW) == Decision(do="retrain", reason=reason)
    assert decide(Rule(reports=1, on=["performance"]), Facts(reports=[many]), NOW).do == "nothing"


def test_the_same_windows_told_again_are_one_report() -> None:
    """With a label an hour, two looks at one day had it trained: nothing was waited for."""
    twice = [report(number, "b", until=NOW) for number in (1, 2, 3)]
    assert decide(RULE, Facts(reports=twice), NOW) == Decision(
        do="nothing", reason="1 report in a row with drift or performance; 2 are needed, each over newer windows"
    )
    assert decide(RULE, Facts(reports=[*twice, report(4, "b", until=NOW + DAY)]), NOW).do == "retrain"
    restated = [report(1, "b", until=NOW), report(2, "g", until=NOW), report(3, "b", until=NOW + DAY)]
    assert decide(RULE, Facts(reports=restated), NOW).do == "nothing", "what its labels say now is what counts"


RULES = st.builds(
    Rule,
    reports=st.integers(1, 4),
    cool_down=st.integers(0, 200).map(lambda hours: hours * HOUR),
    budget=st.integers(1, 4),
    per=st.integers(1, 1000).map(lambda hours: hours * HOUR),
)
STORIES = st.lists(
    st.tuples(st.integers(1, 100), st.sampled_from("bbbgn"), st.integers(0, 10)), min_size=1, max_size=80
)
"""Hours since the report before, what it says, and how many hours a training takes that it asks for."""


@given(RULES, STORIES)
def test_a_rule_that_is_followed_keeps_its_cool_down_its_budget_and_one_training_at_a_time(
    rule: Rule, story: list[tuple[int, str, int]]
) -> None:
    now, reports, trained, ends = NOW, list[Reported](), list[Trained](), NOW
    for number, (hours, word, takes) in enumerate(story, 1):
        now += hours * HOUR
        reports.append(report(number, word, now))
        busy = "a run of it runs" if now < ends else ""
        made = decide(rule, Facts(reports=reports, trained=trained, busy=busy), now)
        assert made.reason
        if made.do == "nothing":
            continue
        assert not busy
        assert word == "b"
        said = [one for one in reports if one.said][-rule.reports :]
        assert len(said) == rule.reports
        assert all(kind == "drift" for one in said for kind, _ in one.findings)
        trained.append(Trained(run=number, at=now))
        ends = now + takes * HOUR
    at = [one.at for one in trained]
    assert all(later - earlier >= rule.cool_down for earlier, later in pairwise(at))
    assert all(sum(timedelta(0) <= end - one < rule.per for one in at) <= rule.budget for end in at)


@given(RULES, STORIES)
def test_the_order_of_past_trainings_and_what_is_older_than_their_limits_change_nothing(
    rule: Rule, story: list[tuple[int, str, int]]
) -> None:
    reports = [report(number, word) for number, (_, word, _) in enumerate(story, 1)]
    trained = [Trained(run=hours, at=NOW - hours * HOUR) for hours, _, _ in story]
    kept = [one for one in trained if NOW - one.at < max(rule.per, rule.cool_down)]
    one = decide(rule, Facts(reports=reports, trained=trained), NOW)
    assert decide(rule, Facts(reports=reports, trained=trained[::-1]), NOW) == one
    assert decide(rule, Facts(reports=reports, trained=kept), NOW) == one
