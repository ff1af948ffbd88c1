"""What is found over the last windows together: it stands while they say so, and is over once they no longer do."""

from __future__ import annotations

from pipeline.judging.evaluate import slice_facts
from pipeline.watching.assessed import Answer, Assessed
from pipeline.watching.assessment import Assessment, Standing, covered, standings
from pipeline.watching.slices import judged_slices, slices
from tests.unit.watching.test_slices import world

SUBJECT = "auc where carrier = DL"


def whole(answer: Answer) -> Assessed:
    return Assessed(kind="performance", subject="auc", answer=answer, title="auc", reason="auc")


def sliced(seed: int, blind: str = "") -> list[Assessed]:
    """What is said of the slices of a window; `blind`: a carrier that the scores say nothing of."""
    labels, scores, carriers = world(3, 20_000)
    before = slice_facts("auc", labels, scores, {"carrier": carriers})
    labels, scores, carriers = world(seed, blind=blind)
    return judged_slices(slices("auc", labels, scores, {"carrier": carriers}, before), 0.02)


def after(*windows: list[Assessed]) -> dict[str, Standing]:
    """Subject → where it stands after these windows, by two of the last three."""
    said = [Assessment(verdicts=[one.document() for one in window]) for window in windows]
    return {one.newest.subject: one for one in standings(said, 3, 2)}


BAD = [whole("clear"), *sliced(4, blind="DL")]
GOOD = [whole("clear"), *sliced(5)]


def test_a_slice_stands_once_enough_windows_found_it() -> None:
    assert not after(BAD)[SUBJECT].stands
    assert after(GOOD, BAD, BAD)[SUBJECT].stands
    assert not after(BAD, GOOD, GOOD, BAD)[SUBJECT].stands


def test_a_slice_that_is_well_again_is_over() -> None:
    """It was told by windows that found it alone, so two of them in a year were an alert for ever."""
    found = after(BAD, BAD, GOOD, GOOD)[SUBJECT]
    assert not found.stands
    assert SUBJECT in covered([found])["performance"]


def test_a_slice_that_the_newest_labelled_windows_no_longer_have_is_over() -> None:
    gone = [whole("clear"), *(one for one in GOOD if one.subject != SUBJECT)]
    assert after(BAD, BAD, gone, gone)[SUBJECT].stands
    found = after(BAD, BAD, gone, gone, gone)[SUBJECT]
    assert not found.stands
    assert "none of the last 3 windows" in found.newest.reason
    assert found.newest.part_of, "so the report leaves it out, as it does with slices that are as they were"
    assert SUBJECT in covered([found])["performance"]


def test_windows_whose_labels_have_not_come_end_nothing() -> None:
    found = after(BAD, BAD, [whole("not yet")], [whole("not yet")], [whole("not yet")], [whole("not yet")])
    assert found[SUBJECT].stands
    assert SUBJECT in covered(found.values())["performance"]
