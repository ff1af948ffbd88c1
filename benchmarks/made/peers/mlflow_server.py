"""`python mlflow_server.py PORT`: `mlflow models serve` of a model from code, this file, with a tensor signature."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
from mlflow.models import infer_signature, set_model

from benchmarks.made.net import WIDTH, compiled


class Net(mlflow.pyfunc.PythonModel):
    def load_context(self, context: Any) -> None:
        self._scores = compiled()

    def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:
        return self._scores(model_input)


set_model(Net())

if __name__ == "__main__":
    folder = Path(tempfile.mkdtemp()) / "net"
    signature = infer_signature(np.zeros((1, WIDTH), np.float32), np.zeros(1, np.float32))
    mlflow.pyfunc.save_model(folder, python_model=__file__, signature=signature, pip_requirements=["mlflow"])
    command = [sys.executable, "-m", "mlflow", "models", "serve", "-m", str(folder), "-h", "127.0.0.1"]
    os.execv(sys.executable, [*command, "-p", sys.argv[1], "--env-manager", "local", "--workers", "1"])
