"""Predictions as a web developer expects them: rows with named columns in, labels or values out. Pure.

{"carrier": "AA", "distance": 733}                    one row
[{…}, {…}]  or  {"rows": [{…}, {…}], "id": "a", "unit": "customer-7", "version": 2,
                                                       "timeout_ms": 50}
{"entities": [{"customer": 7}]}               rows whose features are looked up; "missing": "null" for what is not known
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from pipeline.serving.outputs import Scores, plain
from pipeline.serving.refusal import malformed
from pipeline.versions.signature import Signature


@dataclass(frozen=True, slots=True)
class RowsRequest:
    rows: Sequence[Mapping[str, Any]]
    id: str = ""
    unit: str | None = None
    """Whom the request is about, for a sticky choice of the version."""
    version: str | None = None
    """The one that it insists on."""
    timeout_s: float | None = None
    lookup: bool = False
    """What the rows lack is looked up in the feature views."""
    null: bool = False
    """What is not known there is null, instead of a refusal."""


def read(body: bytes) -> RowsRequest:
    """Raises Refusal."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise malformed(f"the body is not JSON: {error}") from None
    if isinstance(document, list):
        return RowsRequest(_rows(document))
    if not isinstance(document, dict):
        raise malformed('send a row, `{"column": value, …}`, or `{"rows": [row, …]}`')
    lookup = isinstance(document.get("entities"), list)
    if not lookup and not isinstance(document.get("rows"), list):
        return RowsRequest([document])
    if lookup and "rows" in document:
        raise malformed("send `rows`, or `entities` whose features are looked up, and not both")
    return RowsRequest(
        rows=_rows(document["entities" if lookup else "rows"]),
        lookup=lookup,
        null=null_is_enough(document.get("missing")),
        id=_text(document, "id") or "",
        unit=_text(document, "unit"),
        version=_text(document, "version"),
        timeout_s=_timeout(document),
    )


def null_is_enough(missing: Any) -> bool:
    """Of `missing`: "refuse", or nothing, or "null". Raises Refusal."""
    if missing not in (None, "refuse", "null"):
        raise malformed('`missing` is "refuse" or "null"')
    return bool(missing == "null")


def answer(request: RowsRequest, model: str, version: int, signature: Signature, scores: Scores) -> bytes:
    said: dict[str, Any] = {"model": model, "version": version, "predictions": plain(signature, scores)}
    if request.id:
        said["id"] = request.id
    return orjson.dumps(said, option=orjson.OPT_SERIALIZE_NUMPY)


def _rows(rows: list[Any]) -> Sequence[Mapping[str, Any]]:
    for place, row in enumerate(rows):
        if not isinstance(row, dict):
            raise malformed(f"row {place} is not an object of columns and values")
    return rows


def _text(document: Mapping[str, Any], key: str) -> str | None:
    value = document.get(key)
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise malformed(f"`{key}` is not a string")


def _timeout(document: Mapping[str, Any]) -> float | None:
    value = document.get("timeout_ms")
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        raise malformed("`timeout_ms` is a number of milliseconds above 0")
    return value / 1e3
