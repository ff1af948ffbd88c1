"""Lines that are longer than their pane."""

from __future__ import annotations

from tui.pane import wrap
from tui.text import line, pairs, plain


def test_a_value_goes_on_under_itself_and_not_under_its_name() -> None:
    known = pairs([("about", "$score (drift) of late"), ("found by", "monitor:late, report 12")])
    assert plain(wrap(known, 24)).splitlines() == [
        "about     $score (drift)",
        "          of late",
        "found by  monitor:late,",
        "          report 12",
    ]


def test_a_value_without_a_place_to_break_begins_beside_its_name() -> None:
    (first, *rest) = plain(wrap(pairs([("path", "/a/very/long/path/to/a/file")]), 20)).splitlines()
    assert first == "path  /a/very/long/p"
    assert rest == ["      ath/to/a/file"]


def test_what_is_indented_and_what_is_a_sentence_goes_on_where_it_began() -> None:
    lines = [line("  an indented line that is long"), line("a sentence ", ("that", "strong"), " is long as well")]
    assert plain(wrap(lines, 16)).splitlines() == [
        "  an indented",
        "  line that is",
        "  long",
        "a sentence that",
        "is long as well",
    ]


def test_a_name_that_leaves_its_value_no_room_does_not_push_it_aside() -> None:
    found = plain(wrap(pairs([("a name of many words", "value and more")]), 24)).splitlines()
    assert found == ["a name of many words", "value and more"]
