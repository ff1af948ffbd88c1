"""A split as the record keeps it: plain JSON, and back. Control is a column of its own there, the shadow a row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from pipeline.traffic.split import Split, Treatment


def document_of(split: Split) -> dict[str, Any]:
    """`{"salt": …, "hash": …, "treatments": [{"version": 2, "low": 0.0, "high": 0.1, "room": 1.0}]}`."""
    return {"salt": split.salt, "hash": split.hash, "treatments": [asdict(one) for one in split.treatments]}


def split_of(control: int, document: Mapping[str, Any]) -> Split:
    """The other way. Raises ValueError for what is no split."""
    treatments = tuple(Treatment(**one) for one in document["treatments"])
    return Split(salt=document["salt"], control=control, treatments=treatments, hash=document["hash"])
