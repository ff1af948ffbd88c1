"""What goes along with an export: the code that runs there, and the libraries which that code imports."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

from pipeline.exporting.closure import closure_of, imports
from pipeline.exporting.targets import CONTAINER, LAMBDA, Target

ROOT = Path(__file__).parents[3]
DISTRIBUTIONS = {"prometheus_client": "prometheus-client"}
"""Where the name that is imported is another one."""
UNSEEN = {"flatbuffers"}
"""Imported by jax.export, which does not demand it."""


def pins(file: Path) -> set[str]:
    lines = file.read_text(encoding="utf-8").splitlines()
    return {line.removesuffix("\\").strip() for line in lines if "==" in line and not line.startswith((" ", "#"))}


def test_a_closure_follows_what_is_imported_when_it_is_called_and_not_what_is_only_typed() -> None:
    tree = ast.parse(
        "import a.b\nfrom c import d\nif TYPE_CHECKING:\n    import e\nelse:\n    import f\ndef g():\n    import h\n"
    )
    assert set(imports(tree)) == {"a.b", "c", "c.d", "f", "h"}


@pytest.mark.parametrize("target", [CONTAINER, LAMBDA], ids=lambda target: target.name)
def test_nothing_of_daemon_and_ui_goes_along(target: Target) -> None:
    modules = closure_of(ROOT, target.programs).modules
    assert {name.partition(".")[0] for name in modules} == {"pipeline", "store"}
    assert "pipeline.serving.app" in modules
    for left_out in ("pipeline.config", "pipeline.training", "pipeline.versions.bundle", "store.tables", "store.lake"):
        assert left_out not in modules
    assert ("pipeline.serving.server" in modules) == (target is CONTAINER)


@pytest.mark.parametrize("target", [CONTAINER, LAMBDA], ids=lambda target: target.name)
def test_the_requirements_are_what_is_imported_and_nothing_else(target: Target) -> None:
    foreign = closure_of(ROOT, target.programs).foreign - sys.stdlib_module_names
    lines = (ROOT / "assets/export" / target.name / "requirements.in").read_text(encoding="utf-8").splitlines()
    named = {line for line in lines if line and not line.startswith("#")}
    assert named == {DISTRIBUTIONS.get(name, name) for name in foreign} | UNSEEN


@pytest.mark.parametrize("target", [CONTAINER, LAMBDA], ids=lambda target: target.name)
def test_they_are_pinned_as_everything_is_with_hashes_and_without_an_index(target: Target) -> None:
    lock = ROOT / "assets/export" / target.name / "requirements.lock"
    assert pins(lock) <= pins(ROOT / "requirements.lock")
    text = lock.read_text(encoding="utf-8")
    assert text.count("--hash=sha256:") >= len(pins(lock))
    assert "://" not in text
    names = {pin.partition("==")[0] for pin in pins(lock)}
    assert not names & {
        "pyarrow",
        "orbax-checkpoint",
        "duckdb",
        "deltalake",
        "scikit-learn",
        "textual",
        "fastapi",
        "flax",
    }
