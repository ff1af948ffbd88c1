"""Labels as people have them in files: JSON, JSON lines or CSV, told apart by their first letter. Pure."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any, Final

from tui.failure import Usage

MOST_BYTES: Final = 800_000
"""Of one request: the daemon takes a body of a million."""
_NUMBER: Final = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
"""As JSON writes it: 007, 1_000 and nan are words."""
_DIGITS: Final = 400
"""More than any number of Python's has."""
_WORDS: Final = {"true": True, "false": False}


def read(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Labels of a file, one at a time; of JSON that is no JSON lines, all at once. Raises Usage with the line."""
    rest = iter(lines)
    first = next((line for line in rest if line.strip()), "")
    whole = chain([first], rest)
    if first.lstrip().startswith("["):
        yield from _array("".join(whole))
    elif first.lstrip().startswith("{"):
        yield from _lines(whole)
    elif first:
        yield from _table(whole)


def parts(labels: Iterable[dict[str, Any]], most: int) -> Iterator[list[dict[str, Any]]]:
    """In pieces of at most `most` labels and about MOST_BYTES."""
    part: list[dict[str, Any]] = []
    size = 0
    for label in labels:
        needs = len(json.dumps(label)) + 2
        if part and (len(part) == most or size + needs > MOST_BYTES):
            yield part
            part, size = [], 0
        part.append(label)
        size += needs
    if part:
        yield part


def _array(text: str) -> Iterator[dict[str, Any]]:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise _wrong(f"the labels are not JSON: {error}") from None
    yield from found


def _lines(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                yield json.loads(line)
            except ValueError as error:
                raise _wrong(f"line {number} is not JSON: {error}") from None


def _table(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    """CSV with a header; a cell without anything is left out."""
    rows = csv.DictReader(lines, strict=True)
    if "value" not in (rows.fieldnames or ()):
        raise _wrong(f"there is no column `value`: the header is {', '.join(rows.fieldnames or ())}")
    try:
        for row in rows:
            if None in row:
                raise _wrong(f"line {rows.line_num} has more cells than the header")
            yield {name: _cell(text) if name == "value" else text for name, text in row.items() if text}
    except csv.Error as error:
        raise _wrong(f"line {rows.line_num} is not CSV: {error}") from None


def _cell(text: str) -> bool | int | float | str:
    """A value as it was meant: a truth value, a number, or a word."""
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    if len(text) > _DIGITS or not _NUMBER.fullmatch(text):
        return text
    return float(text) if set(text) & set(".eE") else int(text)


def _wrong(what: str) -> Usage:
    return Usage(
        what,
        remedy='write lines such as {"request": "order-17", "value": true}, or CSV with the columns '
        "request (or unit and at) and value",
    )
