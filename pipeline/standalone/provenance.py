"""`provenance.json`: which version an export is, what it was made from, and how its files are known."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError

from store.errors import BundleDamaged

FILE: Final = "provenance.json"
MODEL: Final = "model"
"""The folder of the sealed version, beside the file."""


class Provenance(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    format: int = 1
    target: str
    """What was exported to: container or lambda."""
    model: str
    version: int
    alias: str | None
    """By which it was asked for."""
    digest: str
    """Of the version in the record: its bundle's, every byte of which was compared when it was exported."""
    sealed: str
    """Digest of the folder `model`, compared whenever it is loaded."""
    run: int
    """That trained it."""
    training_set: str
    inputs: dict[str, int]
    """Dataset or `features:VIEW` → version, of its training rows; model/lineage.json has all."""
    exported_at: str
    exported_by: str
    release: str
    """Of Trainshed."""
    python: str
    """On which the golden rows were compared before it was written."""
    files: dict[str, str]
    """Path → SHA-256 of all others but the model's."""


def read_provenance(folder: Path) -> Provenance:
    """Raises BundleDamaged."""
    file = folder / FILE
    try:
        return Provenance.model_validate_json(file.read_bytes())
    except (OSError, ValidationError) as error:
        raise BundleDamaged(
            f"it does not say which version this is: {error}".splitlines()[0],
            where=str(file),
            remedy="export the version again: `trainshed export MODEL@ALIAS --to …`",
        ) from error
