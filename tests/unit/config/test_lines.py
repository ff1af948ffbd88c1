"""Keys of a TOML text and the lines on which they stand."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.config.lines import line_of

TEXT = '''\
title = "a"            # 1
[one]                  # 2
a.b = 1                # 3
"odd key" = { x = 2 }  # 4
sql = """              # 5
[not.a.table]
a = 3
"""
[[one.list]]           # 9
k = 1                  # 10
[one.list.inner]       # 11
z = 1                  # 12
[[one.list]]           # 13
k = 2                  # 14
["etl:x".deep]         # 15
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("title",), 1),
        (("one",), 2),
        (("one", "a", "b"), 3),
        (("one", "odd key"), 4),
        (("one", "odd key", "x"), 4),
        (("one", "sql"), 5),
        (("one", "list", 0, "k"), 10),
        (("one", "list", 0, "inner", "z"), 12),
        (("one", "list", 1, "k"), 14),
        (("one", "list", 1, "gone"), 13),
        (("one", "gone"), 2),
        (("etl:x", "deep", "gone"), 15),
        (("gone",), None),
    ],
)
def test_the_line_is_that_of_the_key_or_of_the_nearest_table(path: tuple[str | int, ...], line: int | None) -> None:
    assert line_of(TEXT, path) == line


NAMES = st.text(alphabet="abcXYZ_-0 :.", min_size=1, max_size=6)


def quoted(name: str) -> str:
    return f'"{name}"'


@pytest.mark.slow
@given(st.dictionaries(NAMES, st.dictionaries(NAMES, st.integers(), max_size=4), max_size=5))
def test_every_key_of_a_written_document_is_found_on_its_line(document: dict[str, dict[str, int]]) -> None:
    lines: list[str] = []
    places: dict[tuple[str, ...], int] = {}
    for table, keys in document.items():
        lines.append(f"[{quoted(table)}]")
        places[(table,)] = len(lines)
        for key, value in keys.items():
            lines.append(f"{quoted(key)} = {value}")
            places[(table, key)] = len(lines)
    text = "\n".join(lines)
    read: dict[str, Any] = tomllib.loads(text)
    assert read == document
    for path, line in places.items():
        assert line_of(text, path) == line
