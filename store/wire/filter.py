"""The filter language of every list: parsed here, once; the daemon turns it into SQL, the screen applies it to rows.

    failed flights          both words stand in some text field, in whatever case
    !flights                the word stands in none
    "two words"             quoted: one word with a space, or with a sign that would mean something
    state=failed            exactly this; state=failed,lost: one of these; schedule="": there is none
    state!=failed           anything else
    message~disk            holds this, in whatever case
    validation/auc>0.77     < <= > >= with a number; a key that is no field is a metric, its newest value decides
    took>5m  bytes>=1GB     durations in ms, s, m, h, d, w (1h30m), sizes in B, KB, MB, GB, TB (decimal)
    created<2h              of a time, a duration means its age: less than two hours ago; created>2h: before that
    created>=2026-03-01     of a time, a date: from then on (2026-03, 2026-03-01T14:05; without a zone, UTC)
    !took>5m                `!` turns any of them round, and so holds for what has no such value

All terms have to hold. Text is for typing: what is not finished yet (`loss<`, an open quote, `2026-0`) is no error and
does nothing; it stands in `Filter.unfinished`. Case is folded as SQLite does, for the letters A to Z only.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Literal

from store.wire.quantity import Quantity, Unfinished, quantity

Op = Literal["=", "~", "<", "<=", ">", ">="]
Value = str | float | int | datetime | None
"""Of a field: text, a number (seconds, bytes), a moment with its zone, or nothing."""

_KEY: Final = re.compile(r"[^\W\d][\w./:@-]*")
_OP: Final = re.compile(r"!=|<=|>=|[=~<>]")
_PLAIN: Final = re.compile(r"[\w./:@%+*#-]+")
"""What needs no quotes."""
_QUOTED: Final = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_WORD: Final = re.compile(r'[^\s"]+')
_ALTERNATIVE: Final = re.compile(r'[^\s",]+')
_FOLD: Final = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


class FilterError(ValueError):
    """A term that cannot mean anything, however it goes on."""

    def __init__(self, what: str, place: int, remedy: str) -> None:
        super().__init__(what)
        self.what = what
        self.place = place
        """Characters before the term."""
        self.remedy = remedy


@dataclass(frozen=True)
class Term:
    """One condition."""

    key: str
    """"": any text field."""
    op: Op
    values: tuple[str, ...]
    """As written; several, of which one has to fit, only with `=`."""
    negated: bool = False

    @property
    def quantity(self) -> Quantity:
        """Of an ordering term; `parse` has seen to it that it is one."""
        return quantity(self.values[0])

    def __str__(self) -> str:
        values = ",".join(map(_quoted, self.values))
        if not self.key:
            return "!" * self.negated + values
        key = self.key if _KEY.fullmatch(self.key) else _in_quotes(self.key)
        if self.negated and self.op == "=":
            return f"{key}!={values}"
        return "!" * self.negated + f"{key}{self.op}{values}"


@dataclass(frozen=True)
class Filter:
    """What a list is narrowed to; `str` gives the canonical text, which parses to an equal filter."""

    terms: tuple[Term, ...] = ()
    unfinished: str = ""
    """The first piece that does nothing yet."""

    def __str__(self) -> str:
        return " ".join(map(str, self.terms))


def fold(text: str) -> str:
    """Lower case as SQLite understands it."""
    return text.translate(_FOLD)


# --------------------------------------------------------------------------------------------------------- parsing


def parse(text: str) -> Filter:
    """Raises FilterError."""
    terms, unfinished, at = [], "", 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        try:
            term, at = _term(text, at)
            terms.append(term)
        except Unfinished:
            end = len(text) if text.count('"', at) % 2 else _next_space(text, at)
            unfinished, at = unfinished or text[at:end], end
    return Filter(tuple(terms), unfinished)


def _next_space(text: str, at: int) -> int:
    space = re.compile(r"\s").search(text, at)
    return space.start() if space else len(text)


def _term(text: str, start: int) -> tuple[Term, int]:
    negated = text[start] == "!"
    at = start + negated
    if at == len(text) or text[at].isspace():
        raise Unfinished
    key, after = _key(text, at)
    sign = _OP.match(text, after) if key else None
    if sign is None:
        return _bare(text, start, at, negated)
    values, end = _values(text, sign.end(), many=sign[0] in ("=", "!="))
    if sign[0] == "!=":
        return Term(key, "=", values, not negated), _ended(text, start, end)
    op: Op = sign[0]  # type: ignore[assignment]  # the pattern has no others
    if op in ("<", "<=", ">", ">="):
        _check_quantity(key + op, values[0], start)
    return Term(key, op, values, negated), _ended(text, start, end)


def _key(text: str, at: int) -> tuple[str, int]:
    """A name before a sign; "" where there is none."""
    plain = _KEY.match(text, at)
    if plain:
        return plain[0], plain.end()
    quoted = _QUOTED.match(text, at)
    return (_unescaped(quoted[1]), quoted.end()) if quoted else ("", at)


def _bare(text: str, start: int, at: int, negated: bool) -> tuple[Term, int]:
    word, end = _value(text, at, _WORD)
    if text[at] != '"' and _OP.search(word):
        raise FilterError(
            f"{word} compares nothing that has a name",
            start,
            f'write a field or a metric before the sign, such as took>5m, or quote what is searched: "{word}"',
        )
    if not word:
        raise Unfinished
    return Term("", "~", (word,), negated), _ended(text, start, end)


def _values(text: str, at: int, *, many: bool) -> tuple[tuple[str, ...], int]:
    value, at = _value(text, at, _ALTERNATIVE if many else _WORD)
    values = [value]
    while many and text[at : at + 1] == ",":
        value, at = _value(text, at + 1, _ALTERNATIVE)
        values.append(value)
    return tuple(values), at


def _value(text: str, at: int, plain: re.Pattern[str]) -> tuple[str, int]:
    if text[at : at + 1] == '"':
        quoted = _QUOTED.match(text, at)
        if quoted is None:
            raise Unfinished
        return _unescaped(quoted[1]), quoted.end()
    found = plain.match(text, at)
    if found is None:
        raise Unfinished
    return found[0], found.end()


def _ended(text: str, start: int, end: int) -> int:
    if end < len(text) and not text[end].isspace():
        raise FilterError(
            f"{text[start : _next_space(text, end)]} goes on after its end",
            start,
            "put a space between two terms, and quotes round all of a word that has a quote or a comma",
        )
    return end


def _check_quantity(compared: str, value: str, start: int) -> None:
    try:
        quantity(value)
    except Unfinished:
        raise
    except ValueError as error:
        raise FilterError(f"{compared}{value}: {error}", start, "write such as 0.05, 5m, 1GB or 2026-03-01") from error


def _quoted(value: str) -> str:
    return value if _PLAIN.fullmatch(value) else _in_quotes(value)


def _in_quotes(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _unescaped(inside: str) -> str:
    return re.sub(r"\\(.)", r"\1", inside, flags=re.DOTALL)


# --------------------------------------------------------------------------------------------------------- meaning


def resolve(found: Filter, fields: Iterable[str], metrics: Iterable[str]) -> Filter:
    """The filter with whole names of metrics where the last part alone was written (`auc` for `validation/auc`).

    A key that is neither stays as it is, and fits nothing. Raises FilterError where a short name has several meanings.
    """
    known = list(metrics)
    whole = {"", *fields, *known}
    return replace(found, terms=tuple(t if t.key in whole else _resolved(t, known) for t in found.terms))


def _resolved(term: Term, known: list[str]) -> Term:
    fitting = sorted(name for name in known if name.rpartition("/")[2] == term.key)
    if len(fitting) > 1:
        raise FilterError(f"{term.key} may be {' or '.join(fitting)}", 0, f"write the whole name, such as {fitting[0]}")
    return replace(term, key=fitting[0]) if fitting else term


def matches(
    found: Filter,
    fields: Mapping[str, Value],
    now: datetime | None = None,
    words: Iterable[str] | None = None,
) -> bool:
    """Whether a row is in the list.

    `now` gives times their age; without it, a comparison with an age does not hold. `words`: the fields that a bare
    word is looked for in, all that are text if they are not named (`store.listing` names those of the long lists).
    """
    places = list(fields if words is None else words)
    return all(_holds(term, fields, now, places) != term.negated for term in found.terms)


def _holds(term: Term, fields: Mapping[str, Value], now: datetime | None, words: list[str]) -> bool:
    if not term.key:
        return any(_contains(fields.get(name), term.values[0]) for name in words)
    value = fields.get(term.key)
    if term.op == "~":
        return _contains(value, term.values[0])
    if term.op == "=":
        return any(_equals(value, wanted) for wanted in term.values)
    return _ordered(value, term.op, term.quantity, now)


def _contains(value: Value, wanted: str) -> bool:
    return isinstance(value, str) and fold(wanted) in fold(value)


def _equals(value: Value, wanted: str) -> bool:
    if value is None or isinstance(value, datetime):
        return wanted == "" and value is None
    if isinstance(value, str):
        return value == wanted
    try:
        given = quantity(wanted)
    except ValueError:
        return False
    return given.kind != "moment" and value == given.value


def _ordered(value: Value, op: Op, given: Quantity, now: datetime | None) -> bool:
    if value is None or isinstance(value, str):
        return False
    if not isinstance(value, datetime):
        return given.kind != "moment" and _compare(value, op, given.value)
    if given.kind == "moment":
        return _compare(value.timestamp(), op, given.value)
    return given.kind == "duration" and now is not None and _compare((now - value).total_seconds(), op, given.value)


def _compare(left: float, op: Op, right: float) -> bool:
    if op == "<":
        return left < right
    if op == "<=":
        return left <= right
    return left > right if op == ">" else left >= right
