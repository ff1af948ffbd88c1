"""`python litserve_server.py PORT [batched]`: LitServe with one worker, without or with its batches."""

import sys
from typing import Any

import litserve
import numpy as np

from benchmarks.made.net import compiled

BATCH = 64


class Net(litserve.LitAPI):
    def setup(self, device: str) -> None:
        self._scores = compiled(largest=BATCH)

    def decode_request(self, request: dict[str, Any]) -> np.ndarray:
        return np.array(request["row"], np.float32)

    def predict(self, x: np.ndarray) -> np.ndarray:
        """One row, or as many as were waiting."""
        return self._scores(np.atleast_2d(x))

    def encode_response(self, output: np.ndarray) -> dict[str, float]:
        return {"score": float(np.ravel(output)[0])}


if __name__ == "__main__":
    api = Net(max_batch_size=BATCH, batch_timeout=0.002) if "batched" in sys.argv else Net()
    server = litserve.LitServer(api, accelerator="cpu", workers_per_device=1)
    server.run(host="127.0.0.1", port=int(sys.argv[1]), log_level="warning", generate_client_file=False)
