"""Errors as `application/problem+json` (RFC 9457): the same sentences that the record and the command line show."""

from __future__ import annotations

import json
import logging
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from store.errors import TrainshedError
from store.wire import Problem

log = logging.getLogger(__name__)


class _ProblemResponse(JSONResponse):
    media_type = "application/problem+json"

    def render(self, content: Any) -> bytes:
        """Half a surrogate pair, which a caller may have sent as `\\ud800`, is told as a question mark."""
        return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def problem_response(problem: Problem) -> JSONResponse:
    return _ProblemResponse(problem.model_dump(mode="json"), status_code=problem.status)


def problem_of(error: TrainshedError) -> Problem:
    """The error as the wire shows it."""
    return Problem(
        title=(type(error).__doc__ or error.code).strip().splitlines()[0],
        status=error.http_status,
        detail=error.what,
        code=error.code,
        where=error.where,
        remedy=error.remedy,
    )


def add_handlers(app: FastAPI) -> None:
    """Every error that can leave a route becomes a Problem; none shows its inside to the caller."""

    @app.exception_handler(TrainshedError)
    async def _ours(_: Request, error: TrainshedError) -> JSONResponse:
        return problem_response(problem_of(error))

    @app.exception_handler(RequestValidationError)
    async def _invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        return problem_response(_validation_problem(error))

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> JSONResponse:
        return problem_response(_http_problem(request, error))

    @app.exception_handler(OverflowError)
    async def _beyond(request: Request, error: OverflowError) -> JSONResponse:
        log.warning("%s asks for too much", request.url.path, exc_info=error, extra={"action": "beyond_bounds"})
        return problem_response(_beyond_problem(request))

    @app.exception_handler(UnicodeEncodeError)
    async def _no_text(request: Request, _: UnicodeEncodeError) -> JSONResponse:
        return problem_response(_no_text_problem(request))

    @app.exception_handler(Exception)
    async def _fault(_: Request, __: Exception) -> JSONResponse:
        return problem_response(_OUR_FAULT)  # the server writes the traceback to daemon.log


def _validation_problem(error: RequestValidationError) -> Problem:
    faults = [(".".join(str(part) for part in e["loc"][1:]) or str(e["loc"][0]), e["msg"]) for e in error.errors()]
    places = ", ".join(place for place, _ in faults)
    return Problem(
        title="The request is not valid",
        status=422,
        detail="; ".join(f"{place}: {message}" for place, message in faults),
        code="InvalidRequest",
        where=places,
        remedy="correct it; /openapi.json says what is expected",
    )


def _http_problem(request: Request, error: HTTPException) -> Problem:
    return Problem(
        title=error.detail,
        status=error.status_code,
        detail=f"{error.detail}: {request.method} {request.url.path}",
        code="NoSuchRoute" if error.status_code == 404 else "NotAllowed",
        where=request.url.path,
        remedy="/openapi.json lists every path with its methods",
    )


def _beyond_problem(request: Request) -> Problem:
    detail = "a number has more than 63 bits, or a time lies outside the years 1 to 9999 in UTC"
    return _not_valid(request, detail, "ask for what there may be")


def _no_text_problem(request: Request) -> Problem:
    detail = "a text holds half of a surrogate pair (such as \\ud800), which is no character"
    return _not_valid(request, detail, "send whole characters")


def _not_valid(request: Request, detail: str, remedy: str) -> Problem:
    return Problem(
        title="The request is not valid",
        status=422,
        detail=detail,
        code="InvalidRequest",
        where=request.url.path,
        remedy=remedy,
    )


_OUR_FAULT = Problem(
    title="A fault in Trainshed",
    status=500,
    detail="the daemon met an error that it did not expect; it goes on",
    code="InternalError",
    remedy="see the end of daemon.log in the home, and report it with the lines there",
)
