"""`/openapi.json`: the plain door of every model that is served, with its columns. Pure."""

from __future__ import annotations

from typing import Any, Final

from pipeline.serving.shelf import Seat, Shelf
from pipeline.versions.signature import InputColumn, Signature
from store.release import RELEASE

_ERROR: Final = {
    "description": "Refused; `error` says why.",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
}
_SHOWN_WORDS: Final = 100


def describe(shelf: Shelf) -> dict[str, Any]:
    """OpenAPI 3.1 of what the snapshot in force serves."""
    paths: dict[str, Any] = {}
    schemas: dict[str, Any] = {
        "Error": {"type": "object", "required": ["error"], "properties": {"error": {"type": "string"}}}
    }
    for model in shelf.snapshot.routes:
        arm = shelf.snapshot.routes[model].arms[0]
        seat = shelf.seats.get((model, arm.version))
        if seat is not None:
            paths[f"/v1/predict/{model}"] = _path(seat)
            schemas[f"{model}.row"] = _row(seat.signature)
            schemas[f"{model}.answer"] = _answer(seat.signature)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Trainshed models", "version": RELEASE},
        "paths": paths,
        "components": {"schemas": schemas},
    }


def _path(seat: Seat) -> dict[str, Any]:
    row = {"$ref": f"#/components/schemas/{seat.model}.row"}
    rows = {"type": "array", "items": row, "minItems": 1}
    envelope = {
        "type": "object",
        "required": ["rows"],
        "properties": {
            "rows": rows,
            "id": {"type": "string", "description": "Comes back with the answer."},
            "unit": {"type": "string", "description": "Whom the request is about: the same one, the same version."},
            "timeout_ms": {"type": "number", "exclusiveMinimum": 0},
        },
    }
    answer = {"schema": {"$ref": f"#/components/schemas/{seat.model}.answer"}}
    return {
        "post": {
            "operationId": f"predict_{seat.model}",
            "summary": f"Predicts {seat.signature.label}, by version {seat.version}.",
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": {"anyOf": [row, rows, envelope]}}},
            },
            "responses": {
                "200": {"description": "An answer for each row.", "content": {"application/json": answer}},
                "4XX": _ERROR,
                "5XX": _ERROR,
            },
        }
    }


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
