"""The schema contract: which columns a new version has, of which types, and what that changes. Pure.

The contract of a dataset is its `columns`, or else its previous version.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import pyarrow as pa

from pipeline.tables.arrow import is_number, word_of
from store.errors import SchemaChanged

OnNew = Literal["add", "ignore", "refuse"]
OnChanged = Literal["refuse", "widen", "cast"]


@dataclass(frozen=True, kw_only=True)
class Settled:
    schema: pa.Schema
    """Of the new version's rows."""
    changes: list[str]
    """Sentences, for the history."""
    rewrite: bool
    """Rows of the previous version have to be converted: a column got a wider type."""


def found_schema(parts: Sequence[pa.Schema], where: str) -> pa.Schema:
    """The schema that holds the rows of all parts. Raises SchemaChanged when a column has types that do not meet."""
    types: dict[str, pa.DataType] = {}
    for part in parts:
        for field in part:
            before = types.get(field.name, pa.null())
            meeting = meet(before, field.type)
            if meeting is None:
                raise SchemaChanged(
                    f"some of its values are {word_of(before)} and some are {word_of(field.type)}",
                    where=f"{where}.{field.name}",
                    remedy=f'declare its type, such as `{field.name} = "string"` in [{where}.columns]',
                )
            types[field.name] = meeting
    return pa.schema(list(types.items()))


def settle(
    found: pa.Schema,
    *,
    declared: Mapping[str, pa.DataType],
    previous: pa.Schema | None,
    keeps_rows: bool,
    on_new: OnNew,
    on_changed: OnChanged,
    where: str,
    empty: bool = False,
) -> Settled:
    """What the new version looks like, given what was `found`.

    `keeps_rows`: the previous version's rows stay (append, merge). `where`: `datasets.NAME`. `empty`: no row was
    found, so a column that is not there is not missing. Raises SchemaChanged.
    """
    wanted = dict(declared) if declared else _wanted(found, previous, on_new, on_changed, where)
    gone = [name for name in wanted if name not in found.names and not empty]
    if gone:
        raise _gone(gone, found, where)
    for name, type_ in wanted.items():
        if name in found.names:
            _check_convertible(name, found.field(name).type, type_, on_changed, where)
    old = {field.name: field.type for field in previous} if previous is not None else {}
    unknown = [name for name, type_ in wanted.items() if pa.types.is_null(type_)]
    schema = pa.schema([(name, type_) for name, type_ in wanted.items() if name not in unknown])
    _check_names(schema, found, where)
    changes = [*_differences(schema, old), *_left_out(found, wanted, old, declared)]
    changes += [f"column {n} is left out: it has no value yet, and no declared type" for n in unknown if n not in old]
    rewrite = keeps_rows and any(n in old and old[n] != t for n, t in zip(schema.names, schema.types, strict=True))
    if rewrite:
        _check_rewrite(schema, old, on_changed, where)
    return Settled(schema=schema, changes=changes if old else [], rewrite=rewrite)


def meet(a: pa.DataType, b: pa.DataType) -> pa.DataType | None:
    """The narrowest type that holds the values of both, or None: numbers meet numbers, nothing meets anything."""
    if a == b or pa.types.is_null(b):
        return a
    if pa.types.is_null(a):
        return b
    if is_number(a) and is_number(b):
        if pa.types.is_integer(a) and pa.types.is_integer(b):
            return max(a, b, key=lambda t: int(t.bit_width))
        return pa.float64()
    return None


def _wanted(
    found: pa.Schema, previous: pa.Schema | None, on_new: OnNew, on_changed: OnChanged, where: str
) -> dict[str, pa.DataType]:
    """Without declared columns: those of the previous version, and the new ones as the policy says."""
    if previous is None:
        return {field.name: field.type for field in found}
    wanted = {field.name: field.type for field in previous}
    for field in found:
        if field.name in wanted:
            meeting = meet(wanted[field.name], field.type)
            if on_changed == "widen" and meeting is not None:
                wanted[field.name] = meeting
        elif on_new == "refuse":
            raise SchemaChanged(
                f"there is a new column {field.name!r} ({word_of(field.type)})",
                where=where,
                remedy='allow it with `on_new_column = "add"`, or drop it with "ignore"',
            )
        elif on_new == "add":
            wanted[field.name] = field.type
    return wanted


def _check_convertible(name: str, found: pa.DataType, wanted: pa.DataType, on_changed: OnChanged, where: str) -> None:
    if found == wanted or pa.types.is_null(found) or on_changed == "cast":
        return
    if on_changed == "widen" and is_number(found) and is_number(wanted):
        return
    choices = '"cast"' if on_changed == "widen" else '"widen" or "cast"'
    raise SchemaChanged(
        f"the column is {word_of(found)} now, and its contract says {word_of(wanted)}",
        where=f"{where}.{name}",
        remedy=f"mend the source; or convert it with `on_changed_type = {choices}`; or change the contract",
    )


def _check_names(schema: pa.Schema, found: pa.Schema, where: str) -> None:
    if not schema.names:
        held = (
            f"none of its columns ({', '.join(found.names)}) has a value"
            if found.names
            else "no row came, so no column is known"
        )
        raise SchemaChanged(
            f"there is nothing to keep: {held}",
            where=where,
            remedy=f"look at the source; if it may be empty, declare the columns in [{where}.columns]",
        )
    if "" in schema.names:
        raise SchemaChanged(
            "a column has no name",
            where=where,
            remedy=f"name it at the source (pandas: index=False), or declare the ones to keep in [{where}.columns]",
        )
    lower = [name.lower() for name in schema.names]
    twins = sorted(name for name in schema.names if lower.count(name.lower()) > 1)
    if twins:
        raise SchemaChanged(
            f"columns differ only in upper and lower case, which are one in SQL: {', '.join(twins)}",
            where=where,
            remedy=f"declare the ones to keep in [{where}.columns], or rename them at the source",
        )


def _check_rewrite(schema: pa.Schema, old: Mapping[str, pa.DataType], on_changed: OnChanged, where: str) -> None:
    for field in schema:
        if field.name in old and on_changed != "cast" and meet(old[field.name], field.type) != field.type:
            raise SchemaChanged(
                f"the rows that are there are {word_of(old[field.name])}, and the contract now says "
                f"{word_of(field.type)}",
                where=f"{where}.{field.name}",
                remedy='convert them with `on_changed_type = "cast"`, or leave the contract as it was',
            )


def _differences(schema: pa.Schema, old: Mapping[str, pa.DataType]) -> list[str]:
    sentences = []
    for field in schema:
        if field.name not in old:
            sentences.append(f"new column {field.name} ({word_of(field.type)})")
        elif old[field.name] != field.type:
            sentences.append(f"column {field.name}: {word_of(old[field.name])} → {word_of(field.type)}")
    return sentences


def _left_out(
    found: pa.Schema,
    wanted: Mapping[str, pa.DataType],
    old: Mapping[str, pa.DataType],
    declared: Mapping[str, pa.DataType],
) -> list[str]:
    dropped = [f"column {name} is no longer kept" for name in old if name not in wanted]
    # A declared list of columns says by itself what it leaves out.
    ignored = [] if declared else [f"new column {n} is ignored" for n in found.names if n not in wanted]
    return dropped + ignored


def _gone(gone: list[str], found: pa.Schema, where: str) -> SchemaChanged:
    return SchemaChanged(
        f"{'columns' if len(gone) > 1 else 'the column'} {', '.join(gone)} of the contract "
        f"{'are' if len(gone) > 1 else 'is'} gone (found: {', '.join(found.names) or 'no column'})",
        where=f"{where}.{gone[0]}",
        remedy=f"bring it back at the source; or change `columns` in [{where}]",
    )
