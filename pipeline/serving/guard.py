"""The guard at the door over HTTP: who has no key goes no further. Health is for everybody."""

from __future__ import annotations

from collections.abc import Callable, Container
from typing import Final

from pipeline.serving.gate import UNKNOWN, Gate
from pipeline.serving.metrics import Metrics
from pipeline.serving.refusal import BUSY, Refusal
from pipeline.serving.request import Answer, Request, refusal_answer

_HEALTH: Final = ("/v2/health/live", "/v2/health/ready")


class Guard:
    """Asked with the head of each request."""

    def __init__(self, gate: Gate, metrics: Metrics) -> None:
        self._gate = gate
        self._metrics = metrics

    def __call__(self, request: Request) -> Answer | None:
        """None lets it in. Without keys it costs one question."""
        if self._gate.open or request.path in _HEALTH:
            return None
        shown = request.headers.get(b"authorization")
        try:
            self._gate.admit(None if shown is None else shown.decode("latin-1"), model_of(request.path))
        except Refusal as refusal:
            self._metrics.answered("", "", "rest", refusal.status, 0.0)
            return refuse(refusal)
        return None


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


def crowded(metrics: Metrics, served: Callable[[], Container[str]]) -> Callable[[str], None]:
    """Counts a request that the server refused because too many wait, by its path. `served`: the models' names."""

    def count(path: str) -> None:
        model = model_of(path)
        known = model if model is not None and model in served() else ""
        metrics.answered(known, "", "plain" if path.startswith("/v1/") else "rest", BUSY, 0.0)

    return count


def refuse(refusal: Refusal) -> Answer:
    """The body of the request is not read: the connection ends with the answer."""
    answer = refusal_answer(refusal)
    asked = ((b"www-authenticate", b"Bearer"),) if refusal.status == UNKNOWN else ()
    return answer._replace(more=(*answer.more, *asked), last=True)
