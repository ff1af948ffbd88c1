"""Secrets by reference."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.secrets import resolve
from store.errors import SecretMissing


def test_a_literal_stands_for_itself(tmp_path: Path) -> None:
    assert resolve("https://example.org", tmp_path) == "https://example.org"
    assert resolve("", tmp_path) == ""


def test_references_are_read_when_used(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("s3cret\n")
    assert resolve("file:token", tmp_path) == "s3cret"
    assert resolve(f"file:{tmp_path}/token", Path("/")) == "s3cret"
    assert resolve("env:TOKEN", tmp_path, {"TOKEN": "s3cret"}) == "s3cret"


@pytest.mark.parametrize("reference", ["env:TOKEN", "env:EMPTY", "file:nope", "file:empty", "file:."])
def test_what_is_missing_or_empty_is_named_with_the_way_out(tmp_path: Path, reference: str) -> None:
    (tmp_path / "empty").write_text("\n")
    with pytest.raises(SecretMissing) as caught:
        resolve(reference, tmp_path, {"EMPTY": ""})
    assert caught.value.where == reference
    assert (tmp_path / reference.partition(":")[2]).name in caught.value.what + caught.value.remedy
