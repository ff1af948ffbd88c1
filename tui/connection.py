"""The way to the daemon's socket, and what it means when nobody answers there or the answer is a refusal."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import httpx

from store.wire import Problem
from tui.failure import NoDaemon

SOCKET_PATH_LIMIT: Final = 107
"""Bytes of a path in a `sockaddr_un` on Linux, without its closing zero (unix(7))."""


def address_of(socket: Path) -> tuple[int | None, str]:
    """A name for the socket that fits into a `sockaddr_un`, and the folder's descriptor that it may need."""
    if len(os.fsencode(socket)) <= SOCKET_PATH_LIMIT or not socket.parent.is_dir():
        return None, str(socket)
    folder = os.open(socket.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    return folder, f"/proc/self/fd/{folder}/{socket.name}"


def nobody(socket: Path) -> NoDaemon:
    return NoDaemon("no daemon is running here", where=str(socket), remedy="start it with `trainshed up --detach`")


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


def problem_of(answer: httpx.Response) -> Problem:
    """Why the daemon refused; something to go on even where the answer does not say."""
    if answer.headers.get("content-type", "").startswith("application/problem+json"):
        return Problem.model_validate_json(answer.content)
    detail = f"the daemon answered {answer.status_code} without a reason"
    remedy = "the daemon is of another release: restart it with `trainshed down`, `trainshed up --detach`"
    return Problem(title="Bad answer", status=answer.status_code, detail=detail, code="BadAnswer", remedy=remedy)
