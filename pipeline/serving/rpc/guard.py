"""The guard at the door over gRPC: the key comes as metadata, `authorization: Bearer KEY`. Health is for everybody."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import grpc

from pipeline.serving.gate import Gate
from pipeline.serving.refusal import Refusal
from pipeline.serving.rpc.schema import HEALTH, INFERENCE

_HEALTH: Final = frozenset(
    {
        f"/{INFERENCE}.GRPCInferenceService/ServerLive",
        f"/{INFERENCE}.GRPCInferenceService/ServerReady",
        f"/{HEALTH}.Health/Check",
    }
)
Abort = Callable[[grpc.ServicerContext, Refusal], None]


class RpcGuard(grpc.ServerInterceptor):  # type: ignore[misc]
    def __init__(self, gate: Gate, abort: Abort) -> None:
        """`abort` ends a call with the status of a refusal."""
        self._gate = gate
        self._abort = abort

    def intercept_service(self, continuation: Callable[[Any], Any], details: Any) -> Any:
        handler = continuation(details)
        if handler is None or self._gate.open or details.method in _HEALTH:
            return handler
        shown = dict(details.invocation_metadata).get("authorization")

        def asked(request: Any, context: grpc.ServicerContext) -> Any:
            model = getattr(request, "model_name", "") or getattr(request, "name", "") or None
            try:
                self._gate.admit(shown, model)
            except Refusal as refusal:
                self._abort(context, refusal)
            return handler.unary_unary(request, context)

        return grpc.unary_unary_rpc_method_handler(
            asked,
            request_deserializer=handler.request_deserializer,
            response_serializer=handler.response_serializer,
        )
