"""The door over HTTP: a request → its answer. Without a framework, which would cost more than the model.

/v2…                            the Open Inference Protocol, JSON and binary tensors
/v1/predict/MODEL               rows with named columns; its description is at /openapi.json
/v1/labels/MODEL                what turned out to be true
/metrics                        for Prometheus
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Any, Final

import orjson

from pipeline.serving import oip, plain
from pipeline.serving.counted import Counted
from pipeline.serving.desk import Desk
from pipeline.serving.destinations import Destination, Destinations
from pipeline.serving.inbox import Inbox, json_length
from pipeline.serving.journal import inputs_of_rows
from pipeline.serving.labelling import Labelling
from pipeline.serving.metrics import CONTENT_TYPE, Facts, exposition
from pipeline.serving.openapi import describe
from pipeline.serving.refusal import Refusal, malformed, unknown
from pipeline.serving.request import Answer, ClientGone, Request, refusal_answer

_OCTETS: Final = b"application/octet-stream"
_JSON_LENGTH: Final = b"inference-header-content-length"
_EPOCH: Final = b"x-routing-epoch"
"""Of the routing snapshot that chose the version: it only grows."""
_REQUEST: Final = b"x-request-id"
"""Under which the prediction log has a request that came without an id."""
log = logging.getLogger(__name__)


class App:
    """One worker's; belongs to the thread of its event loop."""

    def __init__(
        self, desk: Desk, inbox: Inbox, labelling: Labelling, all_facts: Callable[[], Awaitable[Sequence[Facts]]]
    ) -> None:
        """`all_facts`: the numbers of all workers of this endpoint."""
        self._desk = desk
        self._shelf = desk.shelf
        self._described: tuple[Hashable, bytes] = (None, b"")
        self._destinations = Destinations()
        self._inbox = inbox
        self._labelling = labelling
        self._all_facts = all_facts

    async def __call__(self, request: Request) -> Answer | None:
        """None: its client has gone. Raises nothing."""
        try:
            asked = self._destinations.of(request.path) if request.method == "POST" else None
            if asked is None:
                return await self._answer(request)
            return await (self._infer(asked, request) if asked.door == "rest" else self._plain(asked, request))
        except Refusal as refusal:
            return _refused(refusal)
        except ClientGone:
            return None
        except Exception:
            log.exception("a request failed: %s", request.path)
            return _refused(Refusal(500, "the server failed over this request; its log says why"))

    def full(self, path: str) -> bool:
        """Whether it asks for predictions that there is no room for now."""
        asked = self._destinations.of(path)
        return asked is not None and self._shelf.full(asked.model)

    async def _answer(self, request: Request) -> Answer:
        method = request.method
        match request.path.split("/")[1:]:
            case ["v2", "models", "stats"] if "stats" not in self._shelf.snapshot.routes:
                _only("GET", method)
                return _json(self._desk.statistics(None, None))
            case ["v2", "models", model, *rest]:
                return self._of_model(model, rest, method)
            case ["v1", "predict", _, *rest]:
                _version(rest)
                _only("POST", method)
            case ["v1", "labels", model]:
                _only("POST", method)
                return await self._labels(model, request)
            case ["v2", *rest]:
                return self._of_server(method, rest)
            case ["metrics"]:
                _only("GET", method)
                return Answer(exposition(await self._all_facts()), kind=CONTENT_TYPE)
            case ["openapi.json"]:
                _only("GET", method)
                return Answer(self._description())
        raise unknown(f"there is nothing at {request.path[:200]}; models are at /v2/models/NAME and /v1/predict/NAME")

    def _description(self) -> bytes:
        """Made once a snapshot, and for new views: who asks again and again costs no more than other requests do."""
        lookups = self._desk.lookups
        state = (self._shelf.snapshot.epoch, len(self._shelf.seats), lookups.published())
        if self._described[0] != state:
            self._described = (state, orjson.dumps(describe(self._shelf, lookups.needs)))
        return self._described[1]

    # ------------------------------------------------------------------------------------------- one model

    def _of_model(self, model: str, rest: Sequence[str], method: str) -> Answer:
        *before, last = rest if rest and rest[-1] in ("infer", "ready", "stats", "config") else [*rest, ""]
        version = _version(before)
        _only("POST" if last == "infer" else "GET", method)
        if last == "ready":
            return self._ready(model, version)
        if last == "stats":
            return _json(self._desk.statistics(model, version))
        found = self._desk.model_metadata(model, version)
        return _json({**found, "max_batch_size": 0, "backend": "trainshed"} if last == "config" else found)

    async def _infer(self, asked: Destination, request: Request) -> Answer:
        _, model, version = asked
        with self._desk.counted(model, "rest", request.began) as counted:
            document = oip.read(self._inbox.content(request), json_length(request.headers))
            found = await self._desk.scored(document, model, version, counted)
            seat, epoch = found.picked.seat, found.picked.epoch
            signature = seat.signature
            body, length = oip.answer(document, found.wanted, model, seat.version, signature, found.scores)
        if length is None:
            return Answer(body, more=_marks(epoch, counted))
        return Answer(body, kind=_OCTETS, more=(*_marks(epoch, counted), (_JSON_LENGTH, b"%d" % length)))

    async def _plain(self, at: Destination, request: Request) -> Answer:
        _, model, version = at
        with self._desk.counted(model, "plain", request.began) as counted:
            asked = plain.read(self._inbox.content(request))
            picked = self._desk.pick(counted, model, asked.id, asked.unit, _same(version, asked.version))
            seat = picked.seat
            oip.check_rows(len(asked.rows), self._desk.limits.most_rows)
            rows = asked.rows
            if asked.lookup:
                rows = await self._desk.lookups.rows(model, seat.columns, rows, null=asked.null)
            numeric, categorical = seat.columns.of_rows(rows)
            self._desk.note(
                counted,
                inputs=lambda columns: inputs_of_rows(columns, rows),
                encode=lambda columns: columns.of_rows(rows),
            )
            scores = await seat.batcher.scores(numeric, categorical, self._desk.left(counted, asked.timeout_s))
            counted.scores = scores
            body = plain.answer(asked, model, seat.version, seat.signature, scores)
        return Answer(body, more=_marks(picked.epoch, counted))

    async def _labels(self, model: str, request: Request) -> Answer:
        """Of a model that is served: no folder is made for whatever somebody sends."""
        received = self._inbox.content(request)
        if model not in self._shelf.snapshot.routes:
            raise unknown(f"no model {model[:200]} is served here")
        return _json({"model": model, "kept": await self._labelling.keep(model, received)}, 202)

    def _ready(self, model: str, version: str | None) -> Answer:
        if model not in self._shelf.snapshot.routes:
            self._shelf.pick(model, version=version)
        ready = self._desk.ready(model)
        if version is not None and ready:
            self._shelf.pick(model, version=version)
        return _json({"name": model, "ready": ready}, 200 if ready else 503)

    # ------------------------------------------------------------------------------------------ the server

    def _of_server(self, method: str, rest: Sequence[str]) -> Answer:
        match rest:
            case [] | [""]:
                _only("GET", method)
                return _json(self._desk.server_metadata())
            case ["health", "live"]:
                _only("GET", method)
                return _json({"live": True})
            case ["health", "ready"]:
                _only("GET", method)
                return _json({"ready": self._desk.ready()}, 200 if self._desk.ready() else 503)
            case ["repository", "index"]:
                _only("POST", method)
                return _json(self._desk.index())
            case ["repository", "models", model, "load" | "unload" as verb]:
                _only("POST", method)
                return _json(self._desk.load(model, verb))
        raise unknown(f"the path /v2/{'/'.join(rest)[:200]} is not a part of the protocol that is served here")


def _marks(epoch: bytes, counted: Counted) -> tuple[tuple[bytes, bytes], ...]:
    """Headers of an answer."""
    if counted.named is None:
        return ((_EPOCH, epoch),)
    return ((_EPOCH, epoch), (_REQUEST, counted.named))


def _version(parts: Sequence[str]) -> str | None:
    """Of the path behind a model's name: nothing, or `versions/3`. Raises Refusal."""
    match list(parts):
        case [] | [""]:
            return None
        case ["versions", version]:
            return version
    raise unknown(f"there is nothing at …/{'/'.join(parts)[:200]}")


def _same(path: str | None, body: str | None) -> str | None:
    """The version that a request insists on, in its path or its body. Raises Refusal if it insists on two."""
    if path is not None and body is not None and path != body:
        raise malformed(f"the path asks for version {path[:20]}, the body for version {body[:20]}")
    return path if body is None else body


def _only(wanted: str, method: str) -> None:
    """Who may GET may ask for the head alone."""
    if method != wanted and (wanted, method) != ("GET", "HEAD"):
        raise NotAllowed(wanted)


class NotAllowed(Refusal):
    """Another method is meant."""

    def __init__(self, wanted: str) -> None:
        super().__init__(405, f"only {wanted} is possible here")
        self.wanted = wanted


def _refused(refusal: Refusal) -> Answer:
    answer = refusal_answer(refusal)
    if isinstance(refusal, NotAllowed):
        return answer._replace(
            more=(*answer.more, (b"allow", b"GET, HEAD" if refusal.wanted == "GET" else refusal.wanted.encode()))
        )
    return answer


def _json(value: Any, status: int = 200) -> Answer:
    return Answer(orjson.dumps(value), status)
