"""The door over HTTP: a path → an answer. Bare ASGI, because a framework costs more than the model.

/v2…                            the Open Inference Protocol, JSON and binary tensors
/v1/predict/MODEL               rows with named columns; its description is at /openapi.json
/metrics                        for Prometheus
"""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from pipeline.serving import oip, plain
from pipeline.serving.inbox import ClientGone, Inbox, Receive, json_length
from pipeline.serving.metrics import CONTENT_TYPE, Door, Facts, Metrics, exposition
from pipeline.serving.openapi import describe
from pipeline.serving.refusal import Refusal, unknown
from pipeline.serving.shelf import Seat, Shelf
from store.release import RELEASE

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = Mapping[bytes, bytes]
_JSON: Final = b"application/json"
_OCTETS: Final = b"application/octet-stream"
_JSON_LENGTH: Final = b"inference-header-content-length"
_EPOCH: Final = b"x-routing-epoch"
"""Of the routing snapshot that chose the version: it only grows."""
_EXTENSIONS: Final = ("binary_tensor_data", "model_repository", "statistics")
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Answer:
    body: bytes
    status: int = 200
    kind: bytes = _JSON
    more: Sequence[tuple[bytes, bytes]] = ()
    """Further headers."""


@dataclass(frozen=True)
class Limits:
    most_rows: int
    timeout_s: float
    """Of a request that names none, and at most."""


class App:
    """One worker's; belongs to the thread of its event loop."""

    def __init__(
        self,
        shelf: Shelf,
        inbox: Inbox,
        limits: Limits,
        metrics: Metrics,
        all_facts: Callable[[], Awaitable[Sequence[Facts]]],
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """`all_facts`: the numbers of all workers of this endpoint."""
        self._shelf = shelf
        self._inbox = inbox
        self._limits = limits
        self._metrics = metrics
        self._all_facts = all_facts
        self._clock = clock
        self.draining = False
        """Then nothing new is promised: health says so."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        try:
            answer = await self._answer(scope, receive)
        except Refusal as refusal:
            answer = _refused(refusal)
        except ClientGone:
            return
        except Exception:
            log.exception("a request failed: %s", scope.get("path"))
            answer = _refused(Refusal(500, "the server failed over this request; its log says why"))
        headers = [(b"content-type", answer.kind), (b"content-length", b"%d" % len(answer.body)), *answer.more]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body})

    async def _answer(self, scope: Scope, receive: Receive) -> Answer:
        parts = scope["path"].split("/")[1:]
        method: str = scope["method"]
        match parts:
            case ["v2", "models", model, *rest]:
                return await self._of_model(method, model, rest, dict(scope["headers"]), receive)
            case ["v1", "predict", model, *rest]:
                _only("POST", method)
                return await self._plain(model, _version(rest), dict(scope["headers"]), receive)
            case ["v2", *rest]:
                return self._of_server(method, rest)
            case ["metrics"]:
                _only("GET", method)
                return Answer(exposition(await self._all_facts()), kind=CONTENT_TYPE)
            case ["openapi.json"]:
                _only("GET", method)
                return Answer(orjson.dumps(describe(self._shelf)))
        raise unknown(f"there is nothing at {scope['path'][:200]}; models are at /v2/models/NAME and /v1/predict/NAME")

    # ------------------------------------------------------------------------------------------- one model

    async def _of_model(
        self, method: str, model: str, rest: Sequence[str], headers: Headers, receive: Receive
    ) -> Answer:
        *before, last = rest if rest and rest[-1] in ("infer", "ready", "stats", "config") else [*rest, ""]
        version = _version(before)
        if last == "infer":
            _only("POST", method)
            return await self._infer(model, version, headers, receive)
        _only("GET", method)
        if last == "ready":
            return self._ready(model, version)
        seat, _ = self._shelf.pick(model, None, version)
        if last == "stats":
            return _json({"model_stats": [self._stats(seat)]})
        found = oip.metadata(model, self._versions(model), seat.columns)
        if last == "config":
            found = {**found, "max_batch_size": 0, "backend": "trainshed"}
        return _json(found)

    async def _infer(self, model: str, version: str | None, headers: Headers, receive: Receive) -> Answer:
        began, label, status = self._clock(), "", 500
        try:
            document = oip.read(await self._inbox.body(headers, receive), json_length(headers))
            seat, epoch = self._shelf.pick(model, document.unit, version)
            label = seat.label
            numeric, categorical, wanted = oip.encoded(document, seat.columns, self._limits.most_rows)
            scores = await seat.batcher.scores(numeric, categorical, self._timeout(document.timeout_s))
            body, length = oip.answer(document, wanted, model, seat.version, seat.loaded.signature, scores)
            status = 200
        except Refusal as refusal:
            status = refusal.status
            raise
        finally:
            self._count(model, label, "rest", status, began)
        if length is None:
            return Answer(body, more=((_EPOCH, epoch),))
        return Answer(body, kind=_OCTETS, more=((_EPOCH, epoch), (_JSON_LENGTH, b"%d" % length)))

    async def _plain(self, model: str, version: str | None, headers: Headers, receive: Receive) -> Answer:
        began, label, status = self._clock(), "", 500
        try:
            request = plain.read(await self._inbox.body(headers, receive))
            seat, epoch = self._shelf.pick(model, request.unit, version)
            label = seat.label
            oip.check_rows(len(request.rows), self._limits.most_rows)
            numeric, categorical = seat.columns.of_rows(request.rows)
            scores = await seat.batcher.scores(numeric, categorical, self._timeout(request.timeout_s))
            body = plain.answer(request, model, seat.version, seat.loaded.signature, scores)
            status = 200
        except Refusal as refusal:
            status = refusal.status
            raise
        finally:
            self._count(model, label, "plain", status, began)
        return Answer(body, more=((_EPOCH, epoch),))

    def _count(self, model: str, label: str, door: Door, status: int, began: float) -> None:
        """Names that nobody serves are not counted by name: they are whatever somebody sends."""
        known = model if label or model in self._shelf.snapshot.routes else ""
        self._metrics.answered(known, label, door, status, self._clock() - began)

    def _timeout(self, asked: float | None) -> float:
        return self._limits.timeout_s if asked is None else min(asked, self._limits.timeout_s)

    def _ready(self, model: str, version: str | None) -> Answer:
        if model not in self._shelf.snapshot.routes:
            self._shelf.pick(model, None, version)
        ready = not self.draining and self._shelf.ready(model)
        if version is not None and ready:
            self._shelf.pick(model, None, version)
        return _json({"name": model, "ready": ready}, 200 if ready else 503)

    def _versions(self, model: str) -> list[int]:
        return [arm.version for arm in self._shelf.snapshot.routes[model].resident]

    def _stats(self, seat: Seat) -> dict[str, Any]:
        """As Triton has it, as far as it is counted; of this worker. Times in nanoseconds."""
        phases = {name: self._metrics.phases.get((seat.model, seat.label, name)) for name in ("queue", "run", "total")}
        ok = sum(
            count
            for (model, version, _, status), count in self._metrics.requests.items()
            if (model, version) == (seat.model, seat.label) and status == 200
        )
        nanoseconds = {name: int(found.sum * 1e9) if found else 0 for name, found in phases.items()}
        runs = sum(phases["run"].counts) if phases["run"] else 0
        return {
            "name": seat.model,
            "version": seat.label,
            "inference_count": self._metrics.rows.get((seat.model, seat.label), 0),
            "execution_count": runs,
            "inference_stats": {
                "success": {"count": ok, "ns": nanoseconds["total"]},
                "queue": {"count": runs, "ns": nanoseconds["queue"]},
                "compute_infer": {"count": runs, "ns": nanoseconds["run"]},
            },
        }

    # ------------------------------------------------------------------------------------------ the server

    def _of_server(self, method: str, rest: Sequence[str]) -> Answer:
        match rest:
            case [] | [""]:
                _only("GET", method)
                return _json({"name": "trainshed", "version": RELEASE, "extensions": _EXTENSIONS})
            case ["health", "live"]:
                _only("GET", method)
                return _json({"live": True})
            case ["health", "ready"]:
                _only("GET", method)
                ready = not self.draining and self._shelf.ready()
                return _json({"ready": ready}, 200 if ready else 503)
            case ["repository", "index"]:
                _only("POST", method)
                return _json(self._index())
            case ["repository", "models", model, "load" | "unload" as verb]:
                _only("POST", method)
                return self._load(model, verb)
        raise unknown(f"the path /v2/{'/'.join(rest)[:200]} is not a part of the protocol that is served here")

    def _index(self) -> list[dict[str, str]]:
        return [
            {
                "name": model,
                "version": str(arm.version),
                "state": "READY" if (model, arm.version) in self._shelf.seats else "UNAVAILABLE",
                "reason": self._shelf.missing.get((model, arm.version), ""),
            }
            for model, route in self._shelf.snapshot.routes.items()
            for arm in route.resident
        ]

    def _load(self, model: str, verb: str) -> Answer:
        """What is loaded follows from what is promoted, so a client may ask for it and not change it."""
        if verb == "load" and self._shelf.ready(model):
            return _json({})
        self._shelf.pick(model, None, None)
        raise Refusal(
            409, f"versions are not {verb}ed by clients: `trainshed promote {model} VERSION` and `trainshed rollback`"
        )


def _version(parts: Sequence[str]) -> str | None:
    """Of the path behind a model's name: nothing, or `versions/3`. Raises Refusal."""
    match list(parts):
        case [] | [""]:
            return None
        case ["versions", version]:
            return version
    raise unknown(f"there is nothing at …/{'/'.join(parts)[:200]}")


def _only(wanted: str, method: str) -> None:
    if method != wanted:
        raise NotAllowed(wanted)


class NotAllowed(Refusal):
    """Another method is meant."""

    def __init__(self, wanted: str) -> None:
        super().__init__(405, f"only {wanted} is possible here")
        self.wanted = wanted


def _refused(refusal: Refusal) -> Answer:
    more: list[tuple[bytes, bytes]] = []
    if refusal.retry_after is not None:
        more.append((b"retry-after", b"%d" % refusal.retry_after))
    if isinstance(refusal, NotAllowed):
        more.append((b"allow", refusal.wanted.encode()))
    return Answer(refusal.body(), refusal.status, more=more)


def _json(value: Any, status: int = 200) -> Answer:
    return Answer(orjson.dumps(value), status)
