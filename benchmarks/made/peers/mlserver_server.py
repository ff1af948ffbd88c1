"""`python mlserver_server.py PORT`: MLServer with a runtime of our own, in its own process and without its metrics."""

from __future__ import annotations

import asyncio
import sys

import numpy as np
from mlserver import MLModel, MLServer, ModelSettings, Settings
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceRequest, InferenceResponse

from benchmarks.made.net import compiled


class Net(MLModel):
    async def load(self) -> bool:
        self._scores = compiled()
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        rows = NumpyCodec.decode_input(payload.inputs[0]).astype(np.float32)
        output = NumpyCodec.encode_output("score", self._scores(rows))
        return InferenceResponse(id=payload.id, model_name=self.name, outputs=[output])


async def serve(port: int) -> None:
    settings = Settings(
        host="127.0.0.1",
        http_port=port,
        grpc_port=port + 1,
        metrics_endpoint=None,
        parallel_workers=0,
        debug=False,
        access_logger="",
    )
    server = MLServer(settings)
    await server.start([ModelSettings(name="net", implementation=Net)])


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
