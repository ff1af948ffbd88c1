"""The filter language: what is written, what it means, and what is not finished yet."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.wire.filter import Filter, FilterError, Term, matches, parse, resolve

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ROW: dict[str, Any] = {
    "job": "train:Late",
    "state": "failed",
    "schedule": None,
    "priority": 3,
    "took": 360.0,
    "bytes": 2_000_000_000,
    "created": NOW - timedelta(hours=3),
    "ended": None,
    "validation/auc": 0.775,
}

_ORDERS = st.sampled_from(["<", "<=", ">", ">="])
_QUANTITIES = st.sampled_from(["0", "-1.5", "3e-4", ".5", "5m", "1h30m", "2GB", "2026-03", "2026-03-01T14:05Z"])
_TERMS = st.one_of(
    st.builds(Term, st.just(""), st.just("~"), st.tuples(st.text(min_size=1)), st.booleans()),
    st.builds(Term, st.text(min_size=1), st.just("~"), st.tuples(st.text()), st.booleans()),
    st.builds(Term, st.text(min_size=1), st.just("="), st.lists(st.text(), min_size=1).map(tuple), st.booleans()),
    st.builds(Term, st.text(min_size=1), _ORDERS, st.tuples(_QUANTITIES), st.booleans()),
)


@given(st.lists(_TERMS).map(lambda terms: Filter(tuple(terms))))
def test_a_filter_written_out_and_read_again_is_the_same(found: Filter) -> None:
    assert parse(str(found)) == found


@given(st.text(alphabet=' !=~<>",\\abc019-.:emT') | st.text())
def test_any_text_is_a_filter_or_an_error_with_its_place_and_remedy(text: str) -> None:
    try:
        found = parse(text)
    except FilterError as error:
        assert 0 <= error.place < len(text)  # noqa: PT017
        assert error.what  # noqa: PT017
        assert error.remedy  # noqa: PT017
    else:
        assert parse(str(found)).terms == found.terms


@pytest.mark.parametrize(
    "text",
    [
        "LATE",
        "late failed",
        "!succeeded",
        '"train:late"',
        "state=failed",
        "state=lost,failed",
        "state!=succeeded",
        "job~RAIN:l",
        "!job~etl",
        'schedule=""',
        'job!=""',
        'ended=""',
        "priority=3",
        "priority>=3",
        "took>5m",
        "took<=360",
        "took=6m",
        "!took>7m",
        "bytes>1GB",
        "bytes<2.5gb",
        "created>2h",
        "created<1d",
        "created<2026-03-02",
        "created>=2026-03",
        "created>2026-03-01T08:59Z",
        "validation/auc>0.77",
        "!nonsense>3",
        "nonsense!=3",
        "",
        "   ",
    ],
)
def test_what_holds_of_the_row(text: str) -> None:
    assert matches(parse(text), ROW, NOW)


@pytest.mark.parametrize(
    "text",
    [
        "succeeded",
        "late succeeded",
        "!late",
        "state=fail",
        "state=Failed",
        "state!=failed",
        "state!=lost,failed",
        'schedule!=""',
        "schedule=nightly",
        "priority<3",
        "priority=three",
        "took>6m",
        "took>1GB1",
        "created<2h",
        "created>5",
        "ended<1d",
        "job<5",
        "created=2026-03-01",
        "validation/auc>0.78",
        "nonsense>3",
    ],
)
def test_what_does_not(text: str) -> None:
    try:
        assert not matches(parse(text), ROW, NOW)
    except FilterError:
        assert text == "took>1GB1"


@pytest.mark.parametrize(
    "text",
    [
        "loss<",
        "loss=",
        "!",
        "!loss~",
        '"two wor',
        'job="two wor',
        "loss<-",
        "loss<1e",
        "loss<1e-",
        "bytes>1G",
        "took>1h3",
        "created>2026-",
        "created>2026-0",
        "created>2026-03-0",
        "created>2026-03-01T1",
        "state=failed,",
        '""',
    ],
)
def test_what_is_not_finished_yet_does_nothing_and_is_no_error(text: str) -> None:
    found = parse(f"late {text}")
    assert found.terms == (Term("", "~", ("late",)),)
    assert found.unfinished == text


@pytest.mark.parametrize(
    ("text", "place", "what"),
    [
        ("late loss<abc", 5, "loss<abc: 'abc' is no number, duration, size or date"),
        ("=5", 0, "=5 compares nothing that has a name"),
        ("late  5>3", 6, "5>3 compares nothing that has a name"),
        ('"a"b', 0, '"a"b goes on after its end'),
        ("created>2026-13-01", 0, "created>2026-13-01: '2026-13-01' is no date such as 2026-03-01 or 2026-03-01T14:05"),
    ],
)
def test_a_term_that_means_nothing_is_told_with_its_place(text: str, place: int, what: str) -> None:
    with pytest.raises(FilterError) as refused:
        parse(text)
    assert (refused.value.place, refused.value.what) == (place, what)


def test_without_a_now_nothing_has_an_age() -> None:
    assert not matches(parse("created>2h"), ROW)
    assert matches(parse("created<2026-03-02"), ROW)


def test_the_last_part_of_a_metrics_name_is_enough_where_it_has_one_meaning() -> None:
    names = ["train/loss", "validation/loss", "validation/auc"]
    assert str(resolve(parse("auc>0.7 state=failed late x>1"), ["state"], names)) == (
        "validation/auc>0.7 state=failed late x>1"
    )
    with pytest.raises(FilterError, match="loss may be train/loss or validation/loss"):
        resolve(parse("loss<1"), ["state"], names)
