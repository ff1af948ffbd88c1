"""`python fastapi_server.py PORT`: pydantic and a request at a time, as one writes it by hand."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel

from benchmarks.made.net import compiled

scores = compiled()
app = FastAPI()


class Tensor(BaseModel):
    name: str
    datatype: str
    shape: list[int]
    data: list[float]


class Request(BaseModel):
    id: str = ""
    inputs: list[Tensor]


@app.post("/v2/models/net/infer")
def infer(request: Request) -> dict[str, Any]:
    found = scores(np.array(request.inputs[0].data, np.float32).reshape(request.inputs[0].shape))
    outputs = [{"name": "score", "datatype": "FP32", "shape": list(found.shape), "data": found.tolist()}]
    return {"model_name": "net", "id": request.id, "outputs": outputs}


if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[1]), log_level="warning", access_log=False)
