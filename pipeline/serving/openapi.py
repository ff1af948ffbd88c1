"""`/openapi.json`: the plain door of every model that is served, with its columns. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from pipeline.serving.columns import Columns
from pipeline.serving.lookups import Needs
from pipeline.serving.shelf import Seat, Shelf
from pipeline.versions.signature import InputColumn, Signature
from store.release import RELEASE

_ERROR: Final = {
    "description": "Refused; `error` says why.",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
}
_SHOWN_WORDS: Final = 100
_TEXT: Final = ["string", "integer", "null"]
_KEY_TYPES: Final = {"integer": "integer", "BOOLEAN": "boolean"}
_MISSING: Final = {
    "enum": ["refuse", "null", None],
    "description": "What is not known is refused (422), or a missing value. Usual: refuse.",
}
NeedsOf = Callable[[str, Columns], Needs | None]
"""(model, its columns) → what requests that name entities bring."""


def describe(shelf: Shelf, needs: NeedsOf) -> dict[str, Any]:
    """OpenAPI 3.1 of what the snapshot in force serves."""
    paths: dict[str, Any] = {}
    schemas: dict[str, Any] = {
        "Error": {"type": "object", "required": ["error"], "properties": {"error": {"type": "string"}}}
    }
    for model in shelf.snapshot.routes:
        arm = shelf.snapshot.routes[model].arms[0]
        seat = shelf.seats.get((model, arm.version))
        if seat is not None:
            looked_up = needs(model, seat.columns)
            paths[f"/v1/predict/{model}"] = _path(seat, looked_up is not None)
            schemas[f"{model}.row"] = _row(seat.signature)
            if looked_up is not None:
                schemas[f"{model}.entity"] = _entity(seat.signature, looked_up)
            schemas[f"{model}.answer"] = _answer(seat.signature)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Trainshed models", "version": RELEASE},
        "paths": paths,
        "components": {"schemas": schemas},
    }


def _path(seat: Seat, by_entity: bool) -> dict[str, Any]:
    row = {"$ref": f"#/components/schemas/{seat.model}.row"}
    rows = {"type": "array", "items": row, "minItems": 1}
    shapes = [row, rows, _envelope("rows", rows)]
    if by_entity:
        entities = {**rows, "items": {"$ref": f"#/components/schemas/{seat.model}.entity"}}
        shapes.append(_envelope("entities", entities, missing=_MISSING))
    answer = {"schema": {"$ref": f"#/components/schemas/{seat.model}.answer"}}
    return {
        "post": {
            "operationId": f"predict_{seat.model}",
            "summary": f"Predicts {seat.signature.label}, by version {seat.version}.",
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": {"anyOf": shapes}}},
            },
            "responses": {
                "200": {"description": "An answer for each row.", "content": {"application/json": answer}},
                "4XX": _ERROR,
                "5XX": _ERROR,
            },
        }
    }


def _envelope(of: str, rows: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "required": [of],
        "properties": {
            of: rows,
            "id": {"type": _TEXT, "description": "Comes back with the answer."},
            "unit": {"type": _TEXT, "description": "Whom the request is about: the same one, the same version."},
            "version": {
                "type": _TEXT,
                "description": "The version that is to answer, whoever else would (404 without it).",
            },
            "timeout_ms": {"type": ["number", "null"], "exclusiveMinimum": 0},
            **more,
        },
    }


def _entity(signature: Signature, needs: Needs) -> dict[str, Any]:
    """A row whose features are looked up: its keys, and the columns that no view has."""
    columns = {column.name: _column(column) for column in signature.inputs}
    whose = "Says whose features are looked up; left out where the row brings them itself."
    keys = {name: {"type": _KEY_TYPES.get(kind, "string"), "description": whose} for name, kind in needs.keys.items()}
    required = [name for name in columns if name not in needs.found]
    return {"type": "object", "required": required, "properties": {**columns, **keys}}


def _row(signature: Signature) -> dict[str, Any]:
    return {
        "type": "object",
        "required": [column.name for column in signature.inputs],
        "properties": {column.name: _column(column) for column in signature.inputs},
    }


def _column(column: InputColumn) -> dict[str, Any]:
    if column.kind == "numeric":
        return {"type": ["number", "boolean", "null"]}
    kinds: dict[str, Any] = {"type": ["string", "number", "boolean", "null"]}
    if column.vocabulary:
        shown = ", ".join(column.vocabulary[:_SHOWN_WORDS])
        kinds["description"] = f"Known: {shown}" + (" …" if len(column.vocabulary) > _SHOWN_WORDS else "")
    return kinds


def _answer(signature: Signature) -> dict[str, Any]:
    number = {"type": "number"}
    one: dict[str, Any] = {"type": "object", "properties": {"value": number}}
    if signature.task != "regression":
        shares = {"type": "object", "properties": dict.fromkeys(signature.classes, number)}
        label = {"type": "string", "enum": signature.classes}
        one = {"type": "object", "properties": {"label": label, "probabilities": shares}}
    return {
        "type": "object",
        "properties": {
            "model": {"type": "string"},
            "version": {"type": "integer"},
            "id": {"type": "string"},
            "predictions": {"type": "array", "items": one},
        },
    }
