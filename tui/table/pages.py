"""The rows that are here, by position: a bounded number of pages, the least used thrown out first. Pure."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Final, Generic, TypeVar

from tui.table.source import Slice

R = TypeVar("R")
PAGE: Final = 128
"""Rows that are asked for at once."""
KEPT: Final = 24
"""Pages that stay in memory: about 3,000 rows, whatever the list's size."""


class Pages(Generic[R]):
    def __init__(self, key: Callable[[R], Hashable]) -> None:
        self._key = key
        self._pages: OrderedDict[int, list[R]] = OrderedDict()
        self._old: set[int] = set()
        self.total = 0
        self.exact = True
        """Whether `total` was counted; else it is at least that."""

    def __getitem__(self, index: int) -> R | None:
        """The row at a position, None if it is not here."""
        number, place = divmod(index, PAGE)
        page = self._pages.get(number)
        if page is None or place >= len(page):
            return None
        self._pages.move_to_end(number)
        return page[place]

    def missing(self, first: int, last: int) -> list[int]:
        """Numbers of the pages that rows first … last need and that are not here, or out of date."""
        if self.total == 0 and self.exact:
            last = min(last, PAGE - 1)
        numbers = range(max(0, first) // PAGE, max(0, last) // PAGE + 1)
        return [number for number in numbers if number not in self._pages or number in self._old]

    def put(self, number: int, found: Slice[R]) -> None:
        """A page that came. What it says of the total holds from now on."""
        self._pages[number] = list(found.items)
        self._pages.move_to_end(number)
        self._old.discard(number)
        while len(self._pages) > KEPT:
            dropped, _ = self._pages.popitem(last=False)
            self._old.discard(dropped)
        end = number * PAGE + len(found.items)
        if found.total is not None:
            self.total, self.exact = found.total, True
        elif len(found.items) < PAGE and (found.items or number == 0):
            self.total, self.exact = end, True
        elif not self.exact or end >= self.total:
            self.total, self.exact = max(self.total, end + 1), False

    def counted(self, total: int) -> None:
        self.total, self.exact = total, True

    def replace(self, rows: Mapping[Hashable, R]) -> list[int]:
        """Puts newer rows in the places of the ones with the same key; returns those places."""
        places = []
        for number, page in self._pages.items():
            for place, row in enumerate(page):
                newer = rows.get(self._key(row))
                if newer is not None and newer != row:
                    page[place] = newer
                    places.append(number * PAGE + place)
        return places

    def find(self, key: Hashable) -> int | None:
        """Where a row is, if it is here and up to date."""
        for number, page in self._pages.items():
            if number in self._old:
                continue
            for place, row in enumerate(page):
                if self._key(row) == key:
                    return number * PAGE + place
        return None

    def age(self) -> None:
        """All pages are out of date: still shown, and asked for again when they are looked at."""
        self._old = set(self._pages)

    def forget(self) -> None:
        """All pages belong to another query."""
        self._pages.clear()
        self._old.clear()
        self.total, self.exact = 0, False

    def here(self, indexes: Iterable[int]) -> list[R]:
        """The rows of these positions that are here."""
        return [row for row in (self[index] for index in indexes) if row is not None]
