"""On which line of a TOML text a key stands: tomllib gives values without places."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from typing import Any


def line_of(text: str, path: tuple[str | int, ...]) -> int | None:
    """Line (from 1) of the key, or of the nearest table around it; None when not even its first part is there."""
    best, depth = None, 0
    for number, found in _keys(text):
        shared = _shared(found, path)
        if shared == len(path):
            return number
        if shared > depth and shared == len(found):
            best, depth = number, shared
    return best


def _shared(found: tuple[str | int, ...], path: tuple[str | int, ...]) -> int:
    length = 0
    for a, b in zip(found, path, strict=False):
        if a != b:
            break
        length += 1
    return length


def _keys(text: str) -> list[tuple[int, tuple[str | int, ...]]]:
    """Every table header and every key at the start of a line, with its full path."""
    keys: list[tuple[int, tuple[str | int, ...]]] = []
    table: tuple[str | int, ...] = ()
    seen: Counter[tuple[str | int, ...]] = Counter()
    quote: str | None = None
    for number, line in enumerate(text.splitlines(), start=1):
        inside, quote = quote, _open_quote(line, quote)
        if inside is not None:
            continue
        header = re.match(r"\s*(\[\[?)(?=[^\[\]]+\]\]?\s*(#.*)?$)", line)
        if header:
            table = _path(line.strip()) or table
            if header[1] == "[[":
                seen[table] += 1
                table = (*table, seen[table] - 1)
            table = _indexed(table, seen)
            keys.append((number, table))
        elif "=" in line:
            keys.append((number, (*table, *_path(f"{line.partition('=')[0]} = 0"))))
    return keys


def _open_quote(line: str, quote: str | None) -> str | None:
    """The kind of multi-line string that is open after this line."""
    for found in re.findall(r'"""|\'\'\'', line):
        if quote is None:
            quote = found
        elif quote == found:
            quote = None
    return quote


def _path(fragment: str) -> tuple[str | int, ...]:
    """The keys down to the innermost table or value of a one-line TOML document; empty when it is none."""
    try:
        here: Any = tomllib.loads(fragment)
    except tomllib.TOMLDecodeError:
        return ()
    path: list[str | int] = []
    while isinstance(here, dict) and here:
        key, here = next(iter(here.items()))
        path.append(key)
        if isinstance(here, list):
            here = here[0]
    return tuple(path)


def _indexed(table: tuple[str | int, ...], seen: Counter[tuple[str | int, ...]]) -> tuple[str | int, ...]:
    """A sub-table of an array's newest member has that member's number in its path."""
    for length in range(len(table) - 1, 0, -1):
        array = table[:length]
        if seen[array] and not isinstance(table[length], int):
            return (*array, seen[array] - 1, *table[length:])
    return table
