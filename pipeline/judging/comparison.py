"""Two versions of a model side by side: numbers, what callers would notice, settings, and the data they saw."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sqlmodel import Session

from pipeline.judging.plan import signature_changes
from pipeline.judging.standing import standing
from store import aliases
from store.tables import ModelVersion
from store.versions import get_version, version_view
from store.wire import VersionsCompareView


def compared_versions(session: Session, model: str, left: int, right: int) -> VersionsCompareView:
    """`left` against `right`. Raises NotFound."""
    one, other = get_version(session, model, left), get_version(session, model, right)
    pointing = aliases.by_version(session)
    return VersionsCompareView(
        left=version_view(one, pointing),
        right=version_view(other, pointing),
        standing=standing(one, other),
        signature_changes=signature_changes(other.signature, one.signature),
        settings=_differing(_settings(one), _settings(other)),
        inputs=_differing(one.lineage.get("inputs", {}), other.lineage.get("inputs", {})),
    )


def _settings(version: ModelVersion) -> dict[str, Any]:
    """Dotted name → value, as the version was trained."""
    return dict(_flat("", version.lineage.get("model", {}))) | dict(version.lineage.get("overrides", {}))


def _flat(prefix: str, value: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, inner in value.items():
        path = f"{prefix}.{name}" if prefix else name
        if isinstance(inner, Mapping):
            yield from _flat(path, inner)
        else:
            yield path, inner


def _differing(left: Mapping[str, Any], right: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Name → both values, where they differ; None where there is none."""
    names = dict.fromkeys([*left, *right])
    return {name: [left.get(name), right.get(name)] for name in names if left.get(name) != right.get(name)}
