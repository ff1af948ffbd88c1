"""One part of the API: a router whose routes are whole as they are declared.

FastAPI's `include_router` makes each route a second time, with its models and their validators, when the first request
looks for it: a fifth of a second of computing after each start of the daemon. So a part knows from the beginning where
it lies and how it refuses, and the app only takes its routes.
"""

from __future__ import annotations

from typing import Any, Final

from fastapi import APIRouter
from fastapi.routing import APIRoute

from store.wire import Problem

_PROBLEM: Final[dict[int | str, dict[str, Any]]] = {
    "4XX": {"model": Problem, "description": "Refused: what, where, and what to do next."},
    "5XX": {"model": Problem, "description": "Failed: what, where, and what to do next."},
}


def part(tag: str, *, prefix: str = "/v1") -> APIRouter:
    """A router for what is listed under `tag` in the schema, below `prefix`."""
    return APIRouter(prefix=prefix, tags=[tag], responses=_PROBLEM, generate_unique_id_function=_operation)


def _operation(route: APIRoute) -> str:
    """`runs_list_runs`: stable names for those who make a client from the schema."""
    return f"{route.tags[0]}_{route.name}"
