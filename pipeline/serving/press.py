"""The press: makes of a bundle what serving reads, in a process of its own.

`python -P -m pipeline.serving.press HOME DIGEST LARGEST_BATCH` prints lines of JSON: `{"phase": "verify"}` whenever a
phase begins, and at the end `{"compiled": n, "seconds": s, "difference": d}` or a fault. It imports Orbax and Arrow and
compiles, so that no serving process ever does; what is wrong with a version, be it a crash of the compiler, is found
here.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import jax
import numpy as np
import pyarrow.parquet as pq

from pipeline.serving.buckets import buckets
from pipeline.serving.executables import Programs, load_programs, make_programs, settle_jax, shapes_of
from pipeline.serving.golden import check_programs
from pipeline.serving.pressed import GOLDEN, SIGNATURE, Golden, Pressed, PressedFacts, read_pressed
from pipeline.serving.pressed import write_parameters as write_pressed_parameters
from pipeline.serving.prune import prune
from pipeline.serving.readiness import FACTS, key_of
from pipeline.versions import seal
from pipeline.versions.agreement import TOLERANCE
from pipeline.versions.birthplace import Birthplace
from pipeline.versions.bundle import FUNCTION, read_parameters
from pipeline.versions.encoding import encode
from pipeline.versions.signature import Signature
from store.errors import BundleDamaged, TrainshedError
from store.home import Home
from store.words import Phase
from store.workspace import workspace

NICENESS = 10


@dataclass(frozen=True, kw_only=True)
class Done:
    """What pressing found."""

    compiled: int
    """Programs that were not there yet."""
    difference: float
    """Largest difference of a golden score, over all batch sizes."""
    seconds: float


def press(home: Home, digest: str, largest_batch: int, tell: Callable[[Phase], None] = lambda _: None) -> Done:
    """Verifies the bundle, presses it, compiles, and compares the golden rows at every batch size.

    `tell` hears of each phase when it begins. Raises BundleDamaged, GoldenMismatch.
    """
    began = time.monotonic()
    bundle, folder, sizes = home.bundle(digest), home.serving.pressed(digest), buckets(largest_batch)
    tell("verify")
    seal.verify(bundle, digest)
    pressed = _pressed(bundle, folder)
    tell("compile")
    programs, compiled = _programs(home, bundle, pressed, sizes)
    tell("golden")
    difference = check_programs(programs, jax.device_put(pressed.parameters), pressed)
    return Done(compiled=compiled, difference=difference, seconds=round(time.monotonic() - began, 3))


def _pressed(bundle: Path, folder: Path) -> Pressed:
    """Reads what is there; makes it where it is missing or damaged."""
    if folder.is_dir():
        try:
            return read_pressed(folder)
        except BundleDamaged:
            seal.discard(folder)
    with workspace(folder.parent) as made:
        write_pressed(bundle, made)
        seal.seal(made)
        seal.publish(made, folder)
    return read_pressed(folder)


def write_pressed(bundle: Path, folder: Path) -> None:
    """The files of a pressed version, without their seal. Verify the bundle first."""
    signature = Signature.model_validate_json((bundle / SIGNATURE).read_bytes())
    write_pressed_parameters(folder, read_parameters(bundle))
    (folder / SIGNATURE).write_bytes((bundle / SIGNATURE).read_bytes())
    golden = _golden(bundle, signature)
    np.savez(folder / GOLDEN, numeric=golden.numeric, categorical=golden.categorical, scores=golden.scores)
    (folder / FACTS).write_text(_facts(bundle).model_dump_json(), encoding="utf-8")


def _golden(bundle: Path, signature: Signature) -> Golden:
    numeric, categorical = encode(pq.read_table(bundle / "golden.parquet"), signature)
    return Golden(numeric, categorical, np.load(bundle / "golden.npy", allow_pickle=False))


def _facts(bundle: Path) -> PressedFacts:
    born = Birthplace.model_validate_json((bundle / "golden.json").read_bytes())
    function = hashlib.sha256((bundle / FUNCTION).read_bytes()).hexdigest()
    return PressedFacts(function=function, tolerance=TOLERANCE[born.precision])


def _programs(home: Home, bundle: Path, pressed: Pressed, sizes: tuple[int, ...]) -> tuple[Programs, int]:
    folder = home.serving.executables(key_of(pressed.facts.function, sizes))
    function = (bundle / FUNCTION).read_bytes()
    compiled = make_programs(folder, function, shapes_of(pressed.parameters), pressed.widths, sizes)
    return load_programs(folder), compiled


def _tell(phase: Phase) -> None:
    print(json.dumps({"phase": phase}), flush=True)


def main() -> int:
    home, digest, largest = Home(Path(sys.argv[1])), sys.argv[2], int(sys.argv[3])
    os.setpriority(os.PRIO_PROCESS, 0, NICENESS)  # the requests that are answered meanwhile come first
    settle_jax()
    try:
        print(json.dumps(asdict(press(home, digest, largest, _tell))))
        prune(home.serving, buckets(largest))
    except TrainshedError as error:
        fault = {"code": error.code, "what": error.what, "where": error.where, "remedy": error.remedy}
        print(json.dumps({"fault": fault}))
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
