"""An exported version → one that is ready to answer: verified, compiled for this machine, its golden rows met."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

from pipeline.serving.buckets import buckets
from pipeline.serving.executables import compiled, shapes_of
from pipeline.serving.loaded import LoadedVersion, warmed
from pipeline.serving.pressed import read_pressed
from pipeline.serving.readiness import key_of
from pipeline.standalone.provenance import MODEL, Provenance
from pipeline.versions import seal

FUNCTION: Final = "function.stablehlo"


def load_exported(folder: Path, provenance: Provenance, largest_batch: int) -> LoadedVersion:
    """Raises BundleDamaged for files that are not those that were exported, GoldenMismatch."""
    model = folder / MODEL
    seal.verify(model, provenance.sealed)
    pressed, sizes = read_pressed(model), buckets(largest_batch)
    function = (model / FUNCTION).read_bytes()
    if hashlib.sha256(function).hexdigest() != pressed.facts.function:
        raise seal.damaged(model, f"{FUNCTION} is of another version")
    programs = dict(compiled(function, shapes_of(pressed.parameters), pressed.widths, sizes))
    return warmed(provenance.digest, pressed, programs, key_of(pressed.facts.function, sizes))
