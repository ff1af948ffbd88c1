"""Requests that name entities instead of values: what the model wants of its feature views is looked up, as of now.

A row brings the columns of the dataset, the keys among them; the features of views come from their online files. What a
row brings itself is not looked up. What is missing is refused with the entity and what to do, unless the request says
that null is good enough, as it was in training.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from pipeline.features.online import OnlineFeatures, OnlineView, Values, entity_text
from pipeline.serving.columns import Columns
from pipeline.serving.refusal import Refusal, malformed
from pipeline.serving.tensors import Values as TensorValues

CANNOT: Final = 422
"""Understood, and not to be answered with what is known."""
_TOGETHER: Final = 64
"""So many lookups, then others have their turn."""
Tensors = Mapping[str, tuple[Sequence[int], TensorValues]]


@dataclass(frozen=True)
class Join:
    """As `[models.NAME.views]` has it."""

    view: str
    on: Mapping[str, str]
    """Entity column of the view → column of the row."""
    prefix: str


@dataclass(frozen=True)
class Needs:
    """What a request that names entities brings, and what it need not."""

    keys: Mapping[str, str]
    """Column that says whose features are looked up → type of its values, as `Facts.entity` has it."""
    found: frozenset[str]
    """Columns of the model that are looked up, unless the row brings them."""


@dataclass
class Lookups:
    """One worker's; belongs to the thread of its event loop."""

    online: OnlineFeatures
    joins: Mapping[str, Sequence[Join]] = field(default_factory=dict)
    """By model."""
    now_us: Callable[[], int] = lambda: time.time_ns() // 1000

    def published(self) -> tuple[tuple[str, int | None], ...]:
        """(view, version of its online values) of all that models take."""
        names = sorted({join.view for joins in self.joins.values() for join in joins})
        return tuple((name, view.facts.version if (view := self.online.view(name)) else None) for name in names)

    def needs(self, model: str, columns: Columns) -> Needs | None:
        """What a row has to bring and what is looked up; None for a model without views, or without online values."""
        keys: dict[str, str] = {}
        found: set[str] = set()
        for join in self.joins.get(model, ()):
            view = self.online.view(join.view)
            if view is None:
                return None
            found |= _wanted(join, view, columns).keys()
            keys |= {join.on.get(entity, entity): kind for entity, kind in view.facts.entity.items()}
        return Needs(keys, frozenset(found)) if found else None

    async def rows(
        self, model: str, columns: Columns, given: Sequence[Mapping[str, Any]], *, null: bool
    ) -> list[dict[str, Any]]:
        """The rows with what they lack. `null`: what is not known is null. Raises Refusal."""
        filled = [dict(row) for row in given]
        at_us = self.now_us()
        for join in self._joins(model):
            view = self._view(join)
            wanted = _wanted(join, view, columns)
            for place, row in enumerate(filled):
                if place % _TOGETHER == _TOGETHER - 1:
                    await asyncio.sleep(0)
                lacking = {name: feature for name, feature in wanted.items() if name not in row}
                if lacking:
                    entity = _entity(join, view, row, place)
                    found = view.find(entity, at_us)
                    _require(join, view, row, place, found, null=null)
                    row.update({name: found.of.get(feature) for name, feature in lacking.items()})
        return filled

    async def tensors(self, model: str, columns: Columns, given: Tensors, *, null: bool) -> Tensors:
        """The same for tensors: keys are tensors too, [n] or [n, 1]. Raises Refusal."""
        lists = {name: list(values) for name, (_, values) in given.items()}
        counts = {len(values) for values in lists.values()}
        if len(counts) != 1:
            raise malformed("with features = online each tensor has one value for each row")
        (count,) = counts
        plain = {name: [_plain(value) for value in values] for name, values in lists.items()}
        bare = [{name: values[place] for name, values in plain.items()} for place in range(count)]
        filled = await self.rows(model, columns, bare, null=null)
        found: dict[str, tuple[Sequence[int], TensorValues]] = {}
        for name in columns.names:
            if name in given:
                found[name] = given[name]
            elif filled and name in filled[0]:
                values = [row[name] for row in filled]
                of_numbers = name in columns.numeric
                found[name] = [count], np.array(values, np.float64) if of_numbers else values
        return found

    def _joins(self, model: str) -> Sequence[Join]:
        joins = self.joins.get(model)
        if not joins:
            raise malformed(f"{model} takes no features from views: send its columns, as /openapi.json describes them")
        return joins

    def _view(self, join: Join) -> OnlineView:
        view = self.online.view(join.view)
        if view is None:
            raise Refusal(
                CANNOT,
                f"the feature view {join.view} has no online values: [features.{join.view}] needs `online = true`, and "
                f"then `trainshed run features:{join.view}`; or send the values themselves",
            )
        return view


def _wanted(join: Join, view: OnlineView, columns: Columns) -> dict[str, str]:
    """Column of the model → feature of the view."""
    return {join.prefix + feature: feature for feature in view.facts.features if join.prefix + feature in columns.names}


def _entity(join: Join, view: OnlineView, row: Mapping[str, Any], place: int) -> list[str]:
    found = []
    for entity, kind in view.facts.entity.items():
        column = join.on.get(entity, entity)
        if column not in row:
            raise malformed(f"row {place} has no {column!r}: it says whose {join.view} are looked up")
        text = entity_text(row[column], kind)
        if text is None:
            shown = repr(row[column])[:60]
            raise malformed(f"row {place}: {column} = {shown} is no key of {join.view}, whose {entity} is {kind}")
        found.append(text)
    return found


def _require(join: Join, view: OnlineView, row: Mapping[str, Any], place: int, found: Values, *, null: bool) -> None:
    if found.missing is None or null:
        return
    columns = (join.on.get(entity, entity) for entity in view.facts.entity)
    whose = ", ".join(f"{column} = {row[column]!r}"[:80] for column in columns)
    features = ", ".join(list(view.facts.features)[:10])
    if found.missing == "unknown":
        why = f"{join.view} has no row of it (version {view.facts.version})"
    else:
        age, ttl = (found.age_us or 0) / 3.6e9, (view.facts.ttl_us or 0) / 3.6e9
        why = f"its newest row in {join.view} is {age:.1f} h old, and older than {ttl:g} h counts as missing"
    raise Refusal(
        CANNOT,
        f"row {place}: the features {features} of {whose} are not known: {why}. `trainshed run features:{join.view} "
        '--upstream` brings newer ones; or send the values, or "missing": "null"',
    )


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
