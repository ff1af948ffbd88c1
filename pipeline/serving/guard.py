"""The guard at the door over HTTP: who has no key goes no further. Health is for everybody."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Container, MutableMapping
from typing import Any, Final

from pipeline.serving.gate import UNKNOWN, Gate
from pipeline.serving.metrics import Metrics
from pipeline.serving.refusal import BUSY, Refusal

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Any, Send], Awaitable[None]]
_HEALTH: Final = ("/v2/health/live", "/v2/health/ready")


class Guard:
    """An ASGI app around another one."""

    def __init__(self, app: App, gate: Gate, metrics: Metrics) -> None:
        self._app = app
        self._gate = gate
        self._metrics = metrics

    def __call__(self, scope: Scope, receive: Any, send: Send) -> Awaitable[None]:
        """Without keys it costs one question."""
        if self._gate.open or scope["type"] != "http" or scope["path"] in _HEALTH:
            return self._app(scope, receive, send)
        return self._asked(scope, receive, send)

    async def _asked(self, scope: Scope, receive: Any, send: Send) -> None:
        shown = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"authorization"), None)
        try:
            self._gate.admit(shown, model_of(scope["path"]))
        except Refusal as refusal:
            self._metrics.answered("", "", "rest", refusal.status, 0.0)
            await refuse(refusal, send)
            return
        await self._app(scope, receive, send)


def model_of(path: str) -> str | None:
    """The model that a path asks; None for what is about the server."""
    match path.split("/")[1:]:
        case (
            ["v1", "predict" | "labels", model, *_]
            | ["v2", "models", model, *_]
            | ["v2", "repository", "models", model, *_]
        ):
            return model
    return None


def crowded(metrics: Metrics, served: Callable[[], Container[str]]) -> Callable[[bytes], None]:
    """Counts a request that the server refused because too many wait, by its path. `served`: the models' names."""

    def count(path: bytes) -> None:
        text = path.decode("latin-1")
        model = model_of(text)
        known = model if model is not None and model in served() else ""
        metrics.answered(known, "", "plain" if text.startswith("/v1/") else "rest", BUSY, 0.0)

    return count


async def refuse(refusal: Refusal, send: Send) -> None:
    """The body of the request is not read: the connection ends with the answer."""
    body = refusal.body()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
        (b"connection", b"close"),
    ]
    if refusal.retry_after is not None:
        headers.append((b"retry-after", b"%d" % refusal.retry_after))
    if refusal.status == UNKNOWN:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
