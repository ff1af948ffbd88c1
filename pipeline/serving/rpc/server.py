"""The gRPC server of a worker: a few threads that read and write messages; the answers come from the event loop.

An asyncio server would cost twice as much a request. Python's gRPC cannot take an inherited socket over, so the workers
share a port by SO_REUSEPORT, which the supervisor keeps for them.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import CancelledError, ThreadPoolExecutor
from typing import Any, Final, NoReturn

import grpc

from pipeline.serving.desk import Desk
from pipeline.serving.gate import Gate
from pipeline.serving.listening import address
from pipeline.serving.refusal import Refusal
from pipeline.serving.rpc.codec import document_of, response_of
from pipeline.serving.rpc.guard import RpcGuard
from pipeline.serving.rpc.schema import HEALTH, INFERENCE, message
from pipeline.serving.tls import Certificate

THREADS: Final = 4
_MOST_CALLS: Final = 1024
"""Under way at one moment; beyond them a call hears RESOURCE_EXHAUSTED."""
_LONGEST_S: Final = 3600.0
"""What gRPC calls the time of a call without a deadline is longer than a clock can count."""
_SERVICE: Final = f"{INFERENCE}.GRPCInferenceService"
_SERVING, _NOT_SERVING = 1, 2
_STATUS: Final[Mapping[int, grpc.StatusCode]] = {
    400: grpc.StatusCode.INVALID_ARGUMENT,
    401: grpc.StatusCode.UNAUTHENTICATED,
    403: grpc.StatusCode.PERMISSION_DENIED,
    404: grpc.StatusCode.NOT_FOUND,
    409: grpc.StatusCode.FAILED_PRECONDITION,
    413: grpc.StatusCode.INVALID_ARGUMENT,
    422: grpc.StatusCode.FAILED_PRECONDITION,
    429: grpc.StatusCode.RESOURCE_EXHAUSTED,
    500: grpc.StatusCode.INTERNAL,
    503: grpc.StatusCode.UNAVAILABLE,
    504: grpc.StatusCode.DEADLINE_EXCEEDED,
}
log = logging.getLogger(__name__)
Method = Callable[[Any, grpc.ServicerContext], Any]


class RpcServer:
    """Its methods are called in the loop's thread."""

    def __init__(self, desk: Desk, gate: Gate, *, most_body: int, certificate: Certificate | None = None) -> None:
        self._desk = desk
        self._certificate = certificate
        self._loop = asyncio.get_running_loop()
        self._pool = ThreadPoolExecutor(THREADS, "grpc")
        self._server = grpc.server(
            self._pool,
            interceptors=(RpcGuard(gate, _abort),),
            maximum_concurrent_rpcs=_MOST_CALLS,
            options=[
                ("grpc.so_reuseport", 1),
                ("grpc.max_receive_message_length", most_body),
                ("grpc.max_send_message_length", -1),
            ],
        )
        self._server.add_generic_rpc_handlers((self._inference(), self._health()))

    def start(self, host: str, port: int) -> int:
        """The port. Raises RuntimeError when it cannot be had."""
        bound: int
        if self._certificate is None:
            bound = self._server.add_insecure_port(address(host, port))
        else:
            bound = self._server.add_secure_port(address(host, port), _credentials(self._certificate))
        self._server.start()
        return bound

    async def stop(self, seconds: float) -> None:
        """Takes no more calls; those under way have so long."""
        stopped = self._server.stop(seconds)
        await asyncio.get_running_loop().run_in_executor(None, stopped.wait)
        self._pool.shutdown(wait=False)

    def _inference(self) -> grpc.GenericRpcHandler:
        methods: dict[str, Method] = {
            "ServerLive": lambda *_: {"live": True},
            "ServerReady": lambda *_: {"ready": self._desk.ready()},
            "ModelReady": lambda asked, _: {"ready": self._desk.ready(asked.name, asked.version or None)},
            "ServerMetadata": lambda *_: self._desk.server_metadata(),
            "ModelMetadata": lambda asked, _: self._desk.model_metadata(asked.name, asked.version or None),
            "RepositoryIndex": lambda *_: {"models": self._desk.index()},
            "RepositoryModelLoad": lambda asked, _: self._desk.load(asked.model_name, "load"),
            "RepositoryModelUnload": lambda asked, _: self._desk.load(asked.model_name, "unload"),
            "ModelStatistics": lambda asked, _: self._desk.statistics(asked.name or None, asked.version or None),
        }
        handlers = {name: _handler(INFERENCE, name, name, self._told(method, name)) for name, method in methods.items()}
        handlers["ModelInfer"] = _handler(INFERENCE, "ModelInfer", "ModelInfer", self._infer)
        return grpc.method_handlers_generic_handler(_SERVICE, handlers)

    def _health(self) -> grpc.GenericRpcHandler:
        def check(asked: Any, context: grpc.ServicerContext) -> Any:
            if asked.service not in ("", _SERVICE):
                context.abort(grpc.StatusCode.NOT_FOUND, f"there is no service {asked.service[:100]!r} here")
            status = _SERVING if self._desk.ready() else _NOT_SERVING
            return message(HEALTH, "HealthCheckResponse")(status=status)

        return grpc.method_handlers_generic_handler(
            f"{HEALTH}.Health", {"Check": _handler(HEALTH, "HealthCheck", "Check", check)}
        )

    def _told(self, method: Method, name: str) -> Method:
        """A question about the server, answered in the loop's thread as a message."""

        def answer(asked: Any, context: grpc.ServicerContext) -> Any:
            async def look() -> Any:
                return method(asked, context)

            found = self._in_loop(look(), context, None)
            return message(INFERENCE, f"{name}Response")(**found)

        return answer

    def _infer(self, asked: Any, context: grpc.ServicerContext) -> Any:
        remaining = min(context.time_remaining(), _LONGEST_S)

        async def infer() -> Any:
            model, version = asked.model_name, asked.model_version or None
            with self._desk.counted(model, "grpc") as counted:
                document = document_of(asked)
                found = await self._desk.scored(document, model, version, counted, remaining)
                seat, epoch = found.picked.seat, found.picked.epoch
                marks = [("x-routing-epoch", epoch.decode())]
                marks += [("x-request-id", counted.named.decode())] if counted.named else []
                context.set_trailing_metadata(tuple(marks))
                return response_of(document, found.wanted, model, seat.version, seat.signature, found.scores)

        return self._in_loop(infer(), context, remaining)

    def _in_loop(self, work: Any, context: grpc.ServicerContext, seconds: float | None) -> Any:
        """What the work gives, or the end of the call with its status."""
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        context.add_callback(future.cancel)
        try:
            return future.result(seconds)
        except Refusal as refusal:
            _abort(context, refusal)
        except TimeoutError:
            context.abort(grpc.StatusCode.DEADLINE_EXCEEDED, "the request's time is over")
        except CancelledError:
            context.abort(grpc.StatusCode.CANCELLED, "the client has gone")
        except Exception:
            log.exception("a call failed")
            context.abort(grpc.StatusCode.INTERNAL, "the server failed over this request; its log says why")


def _abort(context: grpc.ServicerContext, refusal: Refusal) -> NoReturn:
    """With the time after which a client that tries again by itself may do so."""
    if refusal.retry_after is not None:
        context.set_trailing_metadata((("grpc-retry-pushback-ms", str(1000 * refusal.retry_after)),))
    context.abort(_STATUS.get(refusal.status, grpc.StatusCode.UNKNOWN), refusal.message)
    raise AssertionError("abort raises")


def _credentials(certificate: Certificate) -> grpc.ServerCredentials:
    """Asked for at each handshake, so a renewed certificate is shown at once."""

    def now() -> Any:
        return grpc.ssl_server_certificate_configuration([certificate.pair])

    return grpc.dynamic_ssl_server_credentials(now(), now)


def _handler(package: str, of_messages: str, name: str, method: Method) -> grpc.RpcMethodHandler:
    return grpc.unary_unary_rpc_method_handler(
        method,
        request_deserializer=message(package, f"{of_messages}Request").FromString,
        response_serializer=lambda answer: answer.SerializeToString(),
    )
