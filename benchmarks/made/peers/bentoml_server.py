"""`python bentoml_server.py PORT [batched]`: a BentoML service of one worker, without or with its adaptive batching."""

from __future__ import annotations

import os
import sys

import bentoml
import numpy as np

from benchmarks.made.net import compiled


@bentoml.service(workers=1, traffic={"timeout": 30})
class Plain:
    def __init__(self) -> None:
        self._scores = compiled()

    @bentoml.api
    async def predict(self, rows: np.ndarray) -> np.ndarray:
        return self._scores(rows.astype(np.float32))


@bentoml.service(workers=1, traffic={"timeout": 30})
class Batched:
    def __init__(self) -> None:
        self._scores = compiled(largest=64)

    @bentoml.api(batchable=True, max_batch_size=64, max_latency_ms=1000)
    async def predict(self, rows: np.ndarray) -> np.ndarray:
        return self._scores(rows.astype(np.float32))


if __name__ == "__main__":
    service = f"benchmarks.made.peers.bentoml_server:{'Batched' if 'batched' in sys.argv else 'Plain'}"
    command = [sys.executable, "-m", "bentoml", "serve", service, "--host", "127.0.0.1", "--port", sys.argv[1]]
    os.execv(sys.executable, command)
