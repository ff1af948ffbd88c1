"""The door of the API: who is it, may they come in, and not with more than they can carry.

Over the unix socket the kernel names the user, and the socket's mode has already decided who may. Over TCP the caller
shows the token. Everybody else hears 401.
"""

from __future__ import annotations

import hmac
from typing import Final

from fastapi import Request
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from daemon.api.problems import problem_response
from daemon.api.server import PEER
from daemon.service import Peer
from store.wire import Problem

MAX_BODY: Final = 1_000_000
"""Bytes of a request's body. The largest request there is, a run with overrides, has some hundreds."""
_ACTOR: Final = "trainshed.actor"


class Door:
    """ASGI middleware: sets the actor or refuses, and bounds the body."""

    def __init__(self, app: ASGIApp, token: str | None = None, max_body: int = MAX_BODY) -> None:
        self._app = app
        self._token = token
        self._max_body = max_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        actor = self._actor(scope, headers)
        if actor is None:
            await problem_response(_NOT_KNOWN)(scope, receive, send)
            return
        declared = headers.get("content-length", "0")
        if declared.isdigit() and int(declared) > self._max_body:
            await problem_response(_TOO_LARGE)(scope, receive, send)
            return
        try:
            body = await _read(receive, self._max_body)
        except ClientDisconnect:
            return  # half of what was asked is not what was asked, and nobody hears an answer
        if body is None:
            await problem_response(_TOO_LARGE)(scope, receive, send)
            return
        scope[_ACTOR] = actor
        await self._app(scope, _again(body, receive), send)

    def _actor(self, scope: Scope, headers: Headers) -> str | None:
        peer: Peer | None = scope.get(PEER)
        if peer is not None:
            return peer.user
        if self._token is None:
            return None
        scheme, _, shown = headers.get("authorization", "").partition(" ")
        # Compared in constant time: the answer's timing must not spell the token.
        if scheme.lower() != "bearer" or not hmac.compare_digest(shown.encode(), self._token.encode()):
            return None
        client = scope.get("client") or ("unknown", 0)
        return f"token@{client[0]}"


def actor_of(request: Request) -> str:
    """Who asks: a user's name, or `token@ADDRESS` over TCP."""
    actor: str = request.scope[_ACTOR]
    return actor


async def _read(receive: Receive, limit: int) -> bytes | None:
    """The whole body; None when it is longer than `limit`, whatever length was declared.

    Raises ClientDisconnect when its sender goes away before its end.
    """
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        piece: bytes = message.get("body", b"")
        body += piece
        if len(body) > limit:
            return None
        if not message.get("more_body", False):
            return body


def _again(body: bytes, receive: Receive) -> Receive:
    """A channel that gives the body once more, and then what else comes (the disconnect)."""
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


_NOT_KNOWN = Problem(
    title="Not known here",
    status=401,
    detail="this listener answers only to the daemon's token",
    code="Unauthorised",
    remedy="send `Authorization: Bearer TOKEN` with the contents of the --token-file",
)
_TOO_LARGE = Problem(
    title="Request too large",
    status=413,
    detail=f"a request's body may have {MAX_BODY} bytes",
    code="TooLarge",
    remedy="send less; no request of this API needs so much",
)
