"""The project file's sections and keys, read off the pydantic models that define them."""

from __future__ import annotations

import json
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import annotated_types
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from pipeline.config.base import Section, duration_text, parse_duration, parse_size
from pipeline.config.sentences import sentences

_PLACES = {
    "sources": "[sources.NAME]",
    "datasets": "[datasets.NAME]",
    "features": "[features.NAME]",
    "models": "[models.NAME]",
    "schedules": "[schedules.NAME]",
    "predictions": "[predictions.NAME]",
    "monitors": "[monitors.NAME]",
    "jobs": '[jobs."KIND:NAME"]',
}
_PLAIN = {str: "text", int: "whole number", float: "number", bool: "true or false", datetime: "time with offset"}


@dataclass(frozen=True)
class SectionOf:
    heading: str
    model: type[Section]


@dataclass(frozen=True)
class Row:
    key: str
    type: str
    default: str
    meaning: str


def sections(model: type[Section]) -> list[SectionOf]:
    """Every section below a model, in the order of its fields, each followed by its own; each once."""
    return list(dict.fromkeys(_below(model, "")))


def _below(model: type[Section], place: str) -> Iterator[SectionOf]:
    for name, field in model.model_fields.items():
        inner = list(_models(field.annotation))
        for one in inner:
            here = _heading(place, field.alias or name, field.annotation)
            kind = one.model_fields.get("kind")
            tag = f', kind = "{get_args(kind.annotation)[0]}"' if kind is not None and len(inner) > 1 else ""
            yield SectionOf(here + tag, one)
            yield from _below(one, here.strip("[]"))


def rows(model: type[Section]) -> Iterator[Row]:
    """The keys of one section that are not sections of their own."""
    told = sentences(model)
    for name, field in model.model_fields.items():
        yield Row(field.alias or name, _type(field), _default(field), _meaning(name, told))


def _meaning(name: str, told: Mapping[str, str]) -> str:
    return _escaped(told.get(name) or ("Says which kind this is." if name == "kind" else ""))


def _heading(place: str, name: str, annotation: Any) -> str:
    if not place:
        return _PLACES.get(name, f"[{name}]")
    if get_origin(annotation) is list:
        return f"[[{place}.{name}]]"
    return f"[{place}.{name}.NAME]" if get_origin(annotation) is dict else f"[{place}.{name}]"


def _models(annotation: Any) -> Iterator[type[Section]]:
    if isinstance(annotation, type) and issubclass(annotation, Section):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)


def _type(field: FieldInfo) -> str:
    if any(True for _ in _models(field.annotation)):
        return "section" if get_origin(field.annotation) is not list else "list of sections"
    text = _named(field.annotation, field.metadata)
    bounds = [_bound(fact) for fact in field.metadata]
    return _escaped(", ".join([text, *(bound for bound in bounds if bound)]))


def _named(annotation: Any, metadata: list[Any]) -> str:
    functions = [getattr(fact, "func", None) for fact in metadata]
    if parse_duration in functions:
        return "duration"
    if parse_size in functions:
        return "size"
    if any(".py" in str(getattr(fact, "pattern", "")) for fact in metadata):
        return "Python"
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _named(arguments[0], list(arguments[1:]))
    if origin is Literal:
        return " or ".join(f"`{value}`" for value in arguments)
    if origin in (Union, types.UnionType):
        return " or ".join(dict.fromkeys(_named(each, metadata) for each in arguments if each is not type(None)))
    if origin is list:
        return f"list of {_named(arguments[0], [])}"
    if origin is dict:
        return f"table: {_named(arguments[0], [])} → {_named(arguments[1], [])}"
    return _PLAIN.get(
        annotation, "any value" if annotation is Any else getattr(annotation, "__name__", str(annotation))
    )


def _bound(fact: Any) -> str:
    match fact:
        case annotated_types.Gt(gt=limit):
            return f"above {_limit(limit)}"
        case annotated_types.Ge(ge=limit):
            return f"at least {_limit(limit)}"
        case annotated_types.Le(le=limit):
            return f"at most {_limit(limit)}"
    return ""


def _limit(limit: Any) -> str:
    return duration_text(limit) if isinstance(limit, timedelta) else str(limit)


def _default(field: FieldInfo) -> str:
    value = field.default
    if value is PydanticUndefined and field.default_factory is None:
        return "required"
    if field.default_factory is not None or value is None or value in ("", [], {}) or isinstance(value, BaseModel):
        return ""
    if isinstance(value, timedelta):
        return f"`{duration_text(value)}`"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, dict):
        return "`{ " + ", ".join(f"{key} = {json.dumps(each)}" for key, each in value.items()) + " }`"
    return f"`{_escaped(json.dumps(value))}`"


def _escaped(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
