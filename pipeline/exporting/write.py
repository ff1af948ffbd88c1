"""A version and a target → the folder: sealed model, code, requirements, what builds it, where it came from."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from string import Template
from typing import Any, Final

import pipeline
from pipeline.exporting.closure import closure_of
from pipeline.exporting.folder import digests, published, require_free
from pipeline.exporting.targets import Target
from pipeline.exporting.wanted import Wanted
from pipeline.serving.press import write_pressed
from pipeline.standalone.provenance import FILE, MODEL, Provenance
from pipeline.versions import seal
from pipeline.versions.bundle import FUNCTION, GoldenCheck, load_bundle
from pipeline.versions.signature import InputColumn, Signature
from store.errors import GoldenMismatch
from store.home import Home
from store.release import RELEASE

_TAKEN_ALONG: Final = (FUNCTION, "lineage.json", "verdict.json")
"""Of the bundle, as they are; the rest of the model is written anew, in the form that serving reads."""
_LOCK: Final = "requirements.lock"
_LEFT_OUT: Final = (_LOCK, "requirements.in")


@dataclass(frozen=True, kw_only=True)
class Exported:
    folder: Path
    provenance: Provenance
    golden: GoldenCheck
    files: int
    bytes: int
    next: list[str]


@dataclass(frozen=True, kw_only=True)
class Circumstances:
    """Of an export: who, when, by which Python (such as `3.12`)."""

    at: str
    by: str
    python: str


def export(home: Home, wanted: Wanted, target: Target, into: Path, circumstances: Circumstances) -> Exported:
    """Verifies the version, computes its golden rows again, and writes the folder.

    Raises BundleDamaged, GoldenMismatch, Conflict for a folder that is in use.
    """
    require_free(into)
    bundle = home.bundle(wanted.digest)
    loaded = load_bundle(bundle, wanted.digest)
    golden = loaded.check_golden()
    if not golden.passed:
        raise _mismatch(golden, bundle)
    words = _words(wanted, loaded.signature, circumstances.python, into)
    with published(into) as folder:
        _write_model(bundle, folder / MODEL)
        _write_code(target, folder / "app")
        _write_assets(target, folder, words)
        provenance = _provenance(wanted, target, folder, circumstances)
        (folder / FILE).write_text(provenance.model_dump_json(indent=1) + "\n", encoding="utf-8")
        for path in [*folder.rglob("*"), folder]:
            path.chmod(0o755 if path.is_dir() else 0o644)  # whoever builds an image of it may read it
    written = [file for file in into.rglob("*") if file.is_file()]
    return Exported(
        folder=into,
        provenance=provenance,
        golden=golden,
        files=len(written),
        bytes=sum(file.stat().st_size for file in written),
        next=[Template(line).substitute(words) for line in target.next],
    )


def _write_model(bundle: Path, folder: Path) -> None:
    folder.mkdir()
    write_pressed(bundle, folder)
    for name in _TAKEN_ALONG:
        (folder / name).write_bytes((bundle / name).read_bytes())
    seal.seal(folder)


def _write_code(target: Target, folder: Path) -> None:
    """The sources of ours that run there, and no others."""
    root = Path(pipeline.__file__).parent.parent
    for file in closure_of(root, target.programs).files(root):
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(root / file, folder / file)


def _write_assets(target: Target, folder: Path, words: Mapping[str, str]) -> None:
    own = files("assets") / "export" / target.name
    for asset in own.iterdir():
        if asset.is_file() and asset.name not in _LEFT_OUT:
            (folder / asset.name).write_text(_filled(asset, words), encoding="utf-8")
    (folder / "requirements.txt").write_bytes((own / _LOCK).read_bytes())


def _filled(asset: Traversable, words: Mapping[str, str]) -> str:
    text = asset.read_text(encoding="utf-8")
    return text if asset.name.endswith(".py") else Template(text).substitute(words)


def _provenance(wanted: Wanted, target: Target, folder: Path, circumstances: Circumstances) -> Provenance:
    return Provenance(
        target=target.name,
        model=wanted.model,
        version=wanted.version,
        alias=wanted.alias,
        digest=wanted.digest,
        sealed=seal.digest_of(folder / MODEL),
        run=wanted.run,
        training_set=wanted.training_set,
        inputs=dict(wanted.inputs),
        exported_at=circumstances.at,
        exported_by=circumstances.by,
        release=RELEASE,
        python=circumstances.python,
        files=digests(folder),
    )


def _words(wanted: Wanted, signature: Signature, python: str, into: Path) -> dict[str, str]:
    row = json.dumps(sample_row(signature), ensure_ascii=False)
    return {
        "model": wanted.model,
        "version": str(wanted.version),
        "digest": wanted.digest,
        "release": RELEASE,
        "python": python,
        "folder": str(into),
        "sample": row.replace("'", "\\u0027"),
        "event": json.dumps(_event(f"/v1/predict/{wanted.model}", row), ensure_ascii=False, indent=1),
    }


def _event(path: str, body: str) -> dict[str, Any]:
    """A request as an HTTP API hands it to a function, payload format 2.0."""
    return {
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"content-type": "application/json"},
        "requestContext": {"stage": "$default", "http": {"method": "POST", "path": path}},
        "body": body,
        "isBase64Encoded": False,
    }


def sample_row(signature: Signature) -> dict[str, Any]:
    """A row that the model takes, for somebody who tries it."""
    return {column.name: _sample(column) for column in signature.inputs}


def _sample(column: InputColumn) -> float | str | None:
    if column.kind == "numeric":
        return 1.0
    return column.vocabulary[0] if column.vocabulary else None


def _mismatch(golden: GoldenCheck, bundle: Path) -> GoldenMismatch:
    return GoldenMismatch(
        f"the golden rows do not come back here: a score differs by {golden.difference:.3g}, "
        f"and at most {golden.tolerance:g} is allowed",
        where=str(bundle),
        remedy="export it on the kind of machine it was made on, or train it again",
    )
