"""The profiles a version is held against. Made at first use from what never changes, and kept under its digest."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from pipeline.serving.outputs import LABEL, SCORE
from pipeline.versions.signature import FeatureKind, Signature
from pipeline.watching.profile import Profile, cells_of, digest_of, from_document, to_document
from store.home import Home


def output_of(signature: Signature) -> str:
    """Which of its outputs is watched: the score, or of many classes the label."""
    return LABEL if signature.task == "multiclass" else SCORE


def inputs_of(signature: Signature) -> dict[str, FeatureKind]:
    return {column.name: column.kind for column in signature.inputs}


def signature_of(home: Home, digest: str) -> Signature:
    return Signature.model_validate_json((home.bundle(digest) / "signature.json").read_bytes())


@dataclass(frozen=True)
class Reference:
    profiles: Mapping[str, Profile]
    """Column → profile, and `OUTPUT` → that of the answers."""
    cells: str
    """Digest of their cells."""


def reference(home: Home, digest: str, training_set: str) -> Reference:
    """Raises NotFound without the training set, BundleDamaged."""
    file = home.references / f"{digest}.json"
    kept = _kept(file)
    if kept is None:
        made = _made(home, digest, training_set)
        kept = Reference(made, digest_of(cells_of(made)))
        _keep(file, {**to_document(made), "cells": kept.cells})
    return kept


def _made(home: Home, digest: str, training_set: str) -> dict[str, Profile]:
    # Here, for a reference that is kept needs nothing that trains or computes: two seconds less to load.
    from pipeline.watching.learned import answered, learned

    signature = signature_of(home, digest)
    features = learned(home, training_set, inputs_of(signature))
    return {**features, **answered(home, digest, training_set, signature, output_of(signature))}


def _kept(file: Path) -> Reference | None:
    try:
        said = orjson.loads(file.read_bytes())
        profiles = from_document(said)
    except (FileNotFoundError, ValueError):
        return None
    # One of an earlier release does not say which cells it is over.
    return Reference(profiles, said.get("cells") or digest_of(cells_of(profiles)))


def _keep(file: Path, document: Mapping[str, Any]) -> None:
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    aside = file.with_suffix(f".{os.getpid()}.new")
    aside.write_text(json.dumps(document, allow_nan=False), encoding="utf-8")
    os.replace(aside, file)
