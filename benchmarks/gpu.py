"""The training loop on one GPU: against what one would write by hand, how busy it keeps the device, and shared by two.

    python -m benchmarks.gpu [--only mlp transformer leases resume]

Needs an NVIDIA GPU and JAX's CUDA plugin (`trainshed[cuda]`). Wall seconds, contenders interleaved, median of several
rounds. One JSON object:

    mlp          32-1024-1024-1024-1, one million rows of 32 columns on the device, 8,192 rows a batch, Adam; in float32
                 and in bfloat16. `rate_to_scan`: our rate / that of a hand-written scan of 100 steps over the same rows
                 (at least 0.85); `rate_to_guarded`: the same when the scan too leaves the state alone in a step that is
                 not finite; `rate_to_single`: to that of our loop when it looks at each step whether there are more;
                 `busy`: share of NVML's samples of our training in which a kernel ran (at least 90 %)
    transformer  12 layers of 1,024, 16 heads, 512 tokens, 64 sequences a batch, bfloat16, attention by cuDNN
                 and by XLA. `mfu`: model FLOP/s (6 per parameter and token, and 12 x layers x width x tokens for
                 attention; Chowdhery et al. 2022, appendix B) / the peak below (at least 0.40)
    leases       two processes with 0.45 of the GPU's memory each, at once: sum of their rates / the rate of one that
                 is alone (at least 0.9), and what NVML says that each held
    resume       a training that is cut after each of three chunks and resumed from what it saved: whether the
                 parameters are those of the uninterrupted one, bit for bit, with deterministic kernels

Expected: about five minutes on an H100.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

from benchmarks.made.gpulesson import ROWS, Busy, Meter, lesson, table, train
from benchmarks.made.gpunets import LAYERS, MODEL_WIDTH, WORDS, Attention, Perceptron, Transformer
from pipeline.process.context import Preempted
from pipeline.training.batches import Rows
from pipeline.training.devices import resolve_device
from pipeline.training.saved import Resume
from pipeline.training.steps import Trace
from pipeline.training.stopping import Progress
from pipeline.training.train import Fitted, Lesson, fit

PEAK = 989e12
"""FLOP/s of an H100 or H200 (SXM), dense bfloat16, as its maker says."""
ROUNDS = 3
BATCH, EPOCHS = 8192, 10
TOKENS = 512
CHUNK = 100
ATTENTIONS: tuple[Attention, ...] = ("cudnn", "xla")


# ---- the perceptron --------------------------------------------------------------------------------------------------


def scan(rows: Rows, dtype: Any, *, guarded: bool) -> Callable[[], float]:
    """Seconds of a hand-written scan for as many rows: on the device, shuffled each epoch, losses read a chunk late."""
    graph, state = nnx.split(Perceptron(nnx.Rngs(0), dtype=dtype))
    optimizer = optax.adam(1e-3)
    resident = jax.device_put((rows.numeric, rows.categorical, rows.target))

    def step(carry: Any, ids: jax.Array) -> Any:
        parameters, moments = carry
        batch = Rows(*(jnp.take(column, ids, axis=0) for column in resident))
        value, slopes = jax.value_and_grad(lambda p: nnx.merge(graph, p).losses(batch).mean())(parameters)
        updates, after = optimizer.update(slopes, moments, parameters)
        if guarded:
            finite = jnp.isfinite(value) & jnp.isfinite(optax.tree.norm(slopes))
            updates = jax.tree.map(lambda leaf: jnp.where(finite, leaf, 0.0), updates)
            after = jax.tree.map(lambda new, old: jnp.where(finite, new, old), after, moments)
        return (optax.apply_updates(parameters, updates), after), value

    chunk = jax.jit(lambda carry, ids: jax.lax.scan(step, carry, ids), donate_argnums=0)
    steps = ROWS // BATCH // CHUNK * CHUNK

    def run() -> float:
        carry = jax.tree.map(jnp.copy, (state, optimizer.init(state)))
        carry, pending = chunk(carry, np.zeros((CHUNK, BATCH), np.int32))
        jax.block_until_ready(pending)  # type: ignore[no-untyped-call]
        start = time.monotonic()
        for epoch in range(EPOCHS):
            order = np.random.default_rng(epoch).permutation(ROWS).astype(np.int32)
            for first in range(0, steps, CHUNK):
                carry, losses = chunk(carry, order[first * BATCH : (first + CHUNK) * BATCH].reshape(CHUNK, BATCH))
                losses.copy_to_host_async()
                np.asarray(pending)
                pending = losses
        np.asarray(pending)
        return (time.monotonic() - start) * (-(-ROWS // BATCH)) / steps  # as many steps as ours takes

    return run


def mlp() -> dict[str, Any]:
    rows = table()
    return {str(jnp.dtype(dtype)): _mlp(rows, dtype) for dtype in (jnp.float32, jnp.bfloat16)}


def _mlp(rows: Rows, dtype: Any) -> dict[str, Any]:
    build = partial(Perceptron, dtype=dtype)
    contenders: dict[str, Callable[[], float]] = {
        "ours": lambda: train(lesson(build, rows, epochs=EPOCHS, batch=BATCH)).seconds,
        "scan": scan(rows, dtype, guarded=False),
        "guarded": scan(rows, dtype, guarded=True),
        "single": lambda: train(lesson(build, rows, epochs=EPOCHS, batch=BATCH, block=1)).seconds,
    }
    for run in contenders.values():
        run()
    with Busy() as busy:
        long = train(lesson(build, rows, epochs=5 * EPOCHS, batch=BATCH))
    times = [{name: run() for name, run in contenders.items()} for _ in range(ROUNDS)]
    middle = {name: statistics.median(one[name] for one in times) for name in contenders}
    return {
        "rows_per_second": {name: round(EPOCHS * ROWS / seconds) for name, seconds in middle.items()},
        "rate_to_scan": _ratio(times, "scan"),
        "rate_to_guarded": _ratio(times, "guarded"),
        "rate_to_single": _ratio(times, "single"),
        "busy": busy.within(long),
    }


def _ratio(times: list[dict[str, float]], other: str) -> float:
    return round(statistics.median(one[other] / one["ours"] for one in times), 3)


# ---- the transformer -------------------------------------------------------------------------------------------------


def transformer() -> dict[str, Any]:
    return {name: _transformer(name) for name in ATTENTIONS}


def _transformer(attention: Attention) -> dict[str, Any]:
    batch, sequences, epochs = 64, 4096, 4
    words = np.random.default_rng(0).integers(2, WORDS, (sequences, TOKENS)).astype(np.int32)
    target = (words[:, 0] > WORDS // 2).astype(np.float32)
    rows = Rows(np.zeros((sequences, 0), np.float32), words, target)
    one = lesson(partial(Transformer, attention=attention), rows, epochs=epochs, batch=batch, learning_rate=1e-4)
    with Busy() as busy:
        meter = train(one)
    parameters = sum(int(np.prod(np.shape(leaf))) for leaf in one.model.part(one.leaves)[0])
    seconds = meter.seconds / (epochs * sequences // batch)
    flops = batch * TOKENS * (6 * (parameters - WORDS * MODEL_WIDTH) + 12 * LAYERS * MODEL_WIDTH * TOKENS)
    return {
        "parameters": parameters,
        "seconds_per_step": round(seconds, 5),
        "tokens_per_second": round(batch * TOKENS / seconds),
        "tflops_per_second": round(flops / seconds / 1e12, 1),
        "mfu": round(flops / seconds / PEAK, 3),
        "busy": busy.within(meter),
    }


# ---- two on one GPU --------------------------------------------------------------------------------------------------


def child(memory: float) -> None:
    """One process with its lease, as a run starts: prints its rate, the span of its training and what it may use."""
    device = resolve_device("gpu", gpu=0, memory=memory, cache=None)
    meter = train(lesson(Perceptron, table(), epochs=16 * EPOCHS, batch=BATCH))
    found = {"begun": meter.begun, "ended": meter.end, "rate": 16 * EPOCHS * ROWS / meter.seconds}
    stats = jax.devices()[0].memory_stats() or {}
    print(json.dumps({**found, "limit": device.memory, "peak": stats.get("peak_bytes_in_use")}))


def leases() -> dict[str, Any]:
    alone = _child()
    with ThreadPoolExecutor(2) as two:
        both = [future.result() for future in [two.submit(_child) for _ in range(2)]]
    overlap = min(one["ended"] for one in both) - max(one["begun"] for one in both)
    longest = max(one["ended"] - one["begun"] for one in both)
    return {
        "alone_rows_per_second": round(alone["rate"]),
        "both_rows_per_second": [round(one["rate"]) for one in both],
        "sum_to_alone": round(sum(one["rate"] for one in both) / alone["rate"], 3),
        "overlap": round(overlap / longest, 3),
        "limits_gb": [round(one["limit"] / 1e9, 2) for one in both],
        "peaks_gb": [round(one["peak"] / 1e9, 2) for one in both],
    }


def _child() -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.gpu", "--child", "0.45"]
    said = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout
    return dict(json.loads(said.splitlines()[-1]))


# ---- cut and resumed -------------------------------------------------------------------------------------------------


class Cutter(Meter):
    """Stops the training after a number of chunks, and keeps what it saves."""

    def __init__(self, chunks: int) -> None:
        super().__init__()
        self.stop = threading.Event()
        self._left = chunks
        self.saved: tuple[dict[str, Any], dict[str, Any]] | None = None

    def chunk(self, first: int, trace: Trace, seconds: float) -> None:
        super().chunk(first, trace, seconds)
        self._left -= 1
        if self._left == 0:
            self.stop.set()

    def save(self, step: int, arrays: dict[str, Any], facts: dict[str, Any]) -> None:
        self.saved = (jax.tree.map(np.asarray, jax.device_get(arrays)), facts)

    def idle(self) -> bool:
        return True

    def wait(self) -> None:
        """What was saved lies in memory."""


def resume() -> dict[str, Any]:
    """In a process of its own, whose XLA was told to be deterministic."""
    environment = {**os.environ, "XLA_FLAGS": "--xla_gpu_deterministic_ops=true"}
    command = [sys.executable, "-m", "benchmarks.gpu", "--resumed"]
    said = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True, env=environment).stdout
    return dict(json.loads(said.splitlines()[-1]))


def resumed() -> dict[str, Any]:
    one = lesson(Perceptron, table(200_000), epochs=4, batch=1024, chunk=40)
    straight = _fitted(one, Cutter(-1), None)
    again = _fitted(one, Cutter(-1), None)
    kept: Resume | None = None
    cuts = 0
    while True:
        cutter = Cutter(3)
        try:
            cut = _fitted(one, cutter, kept)
            break
        except Preempted:
            cuts += 1
            assert cutter.saved is not None
            arrays = jax.device_put(cutter.saved[0])
            kept = Resume(arrays=arrays, progress=Progress.model_validate(cutter.saved[1]))
    return {"cuts": cuts, "repeatable": _same(straight, again), "identical": _same(straight, cut)}


def _fitted(one: Lesson, cutter: Cutter, kept: Resume | None) -> Fitted:
    return fit(one, watcher=cutter, clock=time.monotonic, stop=cutter.stop, saver=cutter, resume=kept)


def _same(a: Fitted, b: Fitted) -> bool:
    pairs = zip(jax.tree.leaves(a.state), jax.tree.leaves(b.state), strict=True)
    return all(np.asarray(x).tobytes() == np.asarray(y).tobytes() for x, y in pairs)


# ---- all -------------------------------------------------------------------------------------------------------------

PARTS: dict[str, Callable[[], dict[str, Any]]] = {
    "leases": leases,
    "resume": resume,
    "mlp": mlp,
    "transformer": transformer,
}
"""The first two start processes of their own: before this one takes the device's memory."""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", nargs="*", choices=list(PARTS), default=list(PARTS))
    parser.add_argument("--child", type=float)
    parser.add_argument("--resumed", action="store_true")
    asked = parser.parse_args()
    if asked.child is not None:
        child(asked.child)
        return
    if asked.resumed:
        resolve_device("gpu", gpu=0, memory=0.5, cache=None)
        print(json.dumps(resumed()))
        return
    found = {name: PARTS[name]() for name in PARTS if name in asked.only and name in ("leases", "resume")}
    device = resolve_device("gpu", gpu=0, memory=0.92, cache=None)
    found |= {name: PARTS[name]() for name in PARTS if name in asked.only and name not in found}
    print(json.dumps({"benchmark": "gpu", "device": device.kind, "jax": jax.__version__, **found}))


if __name__ == "__main__":
    main()
