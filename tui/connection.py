"""How long the daemon is waited for, and what it means when nobody answers, or the answer is a refusal."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import httpx
from pydantic import ValidationError

from store.wire import Problem
from tui.failure import Failure, NoDaemon
from tui.sockets import nobody

POLL_SECONDS: Final = 20.0
"""How long one question for changes, or for more of a log, may wait at the daemon."""


def no_answer(socket: Path, error: httpx.TransportError) -> NoDaemon:
    """Why there was none: nobody is there, it is not ours to ask, or it went away in between."""
    if isinstance(error, httpx.ConnectError):
        if "ermission denied" not in str(error):
            return nobody(socket)
        return NoDaemon("the daemon is another user's", where=str(socket), remedy="ask for it as that user")
    return NoDaemon(
        f"the daemon stopped answering ({type(error).__name__})",
        where=str(socket),
        remedy="see the end of daemon.log beside the socket, then `trainshed up --detach`; runs go on without it",
    )


def of_another_release(path: str) -> Failure:
    """The answer lacks what this release knows of, or has what it does not."""
    return Failure(
        f"the daemon's answer to {path} is of another release",
        remedy="restart it with `trainshed down` and `trainshed up --detach`; runs go on meanwhile",
    )


def problem_of(answer: httpx.Response) -> Problem:
    """Why the daemon refused; something to go on even where the answer does not say."""
    if answer.headers.get("content-type", "").startswith("application/problem+json"):
        try:
            return Problem.model_validate_json(answer.content)
        except ValidationError:
            pass  # of another release, as is said below
    detail = f"the daemon answered {answer.status_code} without a reason"
    remedy = "the daemon is of another release: restart it with `trainshed down`, `trainshed up --detach`"
    return Problem(title="Bad answer", status=answer.status_code, detail=detail, code="BadAnswer", remedy=remedy)
