"""The lock files hold every dependency with hashes, and say nothing of where they were fetched from."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[3]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCKS = {
    "requirements.lock": (["demo", "postgres"], ["dev"]),
    "requirements-bench.lock": (["demo", "postgres"], ["dev", "bench"]),
    "requirements-accelerators.lock": (["demo", "postgres", "cuda", "tpu"], ["dev"]),
}


@pytest.mark.parametrize("name", LOCKS)
def test_every_dependency_is_locked_to_a_version_that_is_allowed(name: str) -> None:
    extras, groups = LOCKS[name]
    wanted = [*PROJECT["project"]["dependencies"]]
    wanted += [one for extra in extras for one in PROJECT["project"]["optional-dependencies"][extra]]
    wanted += [one for group in groups for one in PROJECT["dependency-groups"][group]]
    text = (ROOT / name).read_text(encoding="utf-8")
    locked = {
        canonicalize_name(n): v for n, v in re.findall(r"^([\w.\-]+)(?:\[[^\]]*\])?==([^\s;]+)", text, re.MULTILINE)
    }
    for one in map(Requirement, wanted):
        version = locked.get(canonicalize_name(one.name))
        assert version is not None, f"{one.name} is not in {name}: run `make lock`"
        assert one.specifier.contains(version, prereleases=True), f"{one.name} {version}: run `make lock`"


@pytest.mark.parametrize("name", LOCKS)
def test_every_locked_version_has_hashes_and_no_address(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    entries = re.split(r"^(?=\S)", text, flags=re.MULTILINE)[1:]
    assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []
    assert "://" not in text
    assert "--index" not in text
    assert "--find-links" not in text
