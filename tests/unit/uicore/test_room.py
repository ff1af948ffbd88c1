"""How several lists share the lines of a screen."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tui.room import HEAD, main_width, share

_WANTS = st.lists(st.integers(2, 60), min_size=1, max_size=6)


@given(_WANTS, st.integers(0, 100))
def test_nobody_gets_more_than_he_wants_and_all_of_the_room_is_used(wanted: list[int], room: int) -> None:
    given_ = share(wanted, room)
    assert all(HEAD + 1 <= has <= want for has, want in zip(given_, wanted, strict=True))
    assert sum(given_) == min(sum(wanted), max(room, (HEAD + 1) * len(wanted)))


@given(_WANTS, st.integers(0, 100))
def test_who_has_less_than_he_wants_has_as_much_as_anybody_give_or_take_a_row(wanted: list[int], room: int) -> None:
    given_ = share(wanted, room)
    short = [has for has, want in zip(given_, wanted, strict=True) if has < want]
    assert not short or min(short) >= max(given_) - 1


def test_wide_screens_give_the_rest_to_what_stands_beside() -> None:
    assert [main_width(width) for width in (80, 109, 110, 160, 300)] == [80, 109, 78, 92, 92]
