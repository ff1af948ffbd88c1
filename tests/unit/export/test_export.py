"""Exports on disk: whole, verified, of the version that was meant; and what is refused."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from string import Template

import numpy as np
import pytest

from pipeline.exporting.__main__ import _user, main
from pipeline.exporting.closure import source_of
from pipeline.exporting.targets import target_of
from pipeline.exporting.write import Exported
from pipeline.standalone.provenance import read_provenance
from pipeline.standalone.version import load_exported
from pipeline.versions.bundle import load_bundle
from store.errors import BundleDamaged, Conflict, NotExportable, NotFound
from store.home import Home
from store.migrations import OURS, History
from store.reading import reading
from store.schema import require_present
from store.sqlite import reader_engine
from tests.unit.export.shed import Shed


def test_an_export_says_which_version_it_is_and_what_it_was_made_from(shed: Shed, exported: Exported) -> None:
    told = read_provenance(exported.folder)
    assert told == exported.provenance
    assert (told.target, told.model, told.version, told.alias) == ("container", "late", 1, "production")
    assert (told.exported_by, told.exported_at, told.python) == ("anna", "2026-01-01T14:00:00+00:00", "3.12")
    assert shed.home.bundle(told.digest).is_dir()
    assert (told.run, told.training_set) == (1, "t" * 64)


@pytest.mark.slow
def test_who_has_no_login_name_exports_under_the_number() -> None:
    """As in a container that runs as whoever its host says."""
    assert _user(4_000_000_000) == "uid 4000000000"
    assert _user(0) == "root"


def test_a_version_can_be_named_by_its_number(shed: Shed, tmp_path: Path) -> None:
    for reference in ("late@2", "late@v2"):
        told = shed.export(tmp_path / reference, reference).provenance
        assert (told.version, told.alias) == (2, None)


@pytest.mark.slow
def test_what_is_exported_scores_as_the_version_does(shed: Shed, exported: Exported) -> None:
    loaded = load_exported(exported.folder, exported.provenance, 4)
    bundle = load_bundle(shed.home.bundle(exported.provenance.digest))
    rng = np.random.default_rng(0)
    for rows in (1, 3, 9):
        numeric = rng.normal(500, 100, (rows, 2)).astype(np.float32)
        categorical = rng.integers(0, 6, (rows, 1)).astype(np.int32)
        np.testing.assert_allclose(
            loaded.run(numeric, categorical), bundle.scores(numeric, categorical), rtol=1e-5, atol=1e-6
        )
    assert loaded.digest == exported.provenance.digest


def test_a_flipped_byte_is_found_before_anything_is_answered(exported: Exported) -> None:
    parameters = exported.folder / "model" / "parameters.bin"
    parameters.write_bytes(bytes([parameters.read_bytes()[0] ^ 1]) + parameters.read_bytes()[1:])
    with pytest.raises(BundleDamaged, match=r"parameters\.bin has changed"):
        load_exported(exported.folder, exported.provenance, 1)


@pytest.mark.slow
def test_the_model_of_another_export_is_not_taken_for_this_one(shed: Shed, exported: Exported, tmp_path: Path) -> None:
    other = shed.export(tmp_path / "other", "late@2")
    shutil.rmtree(exported.folder / "model")
    shutil.copytree(other.folder / "model", exported.folder / "model")
    with pytest.raises(BundleDamaged, match=r"manifest\.json has digest"):
        load_exported(exported.folder, exported.provenance, 1)


@pytest.mark.slow
def test_a_damaged_version_is_not_exported_and_leaves_no_folder(tmp_path: Path) -> None:
    shed = Shed(Home(tmp_path / "home"))
    bundle = shed.home.bundle(shed.version())
    golden = bundle / "golden.npy"
    golden.chmod(0o644)
    golden.write_bytes(golden.read_bytes()[:-1] + b"\x01")
    with pytest.raises(BundleDamaged, match=r"golden\.npy has changed"):
        shed.export(tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home"]


# ------------------------------------------------------------------------------------------------ the folder


@pytest.mark.slow
def test_an_earlier_export_is_replaced(shed: Shed, exported: Exported) -> None:
    (exported.folder / "app" / "pipeline" / "__pycache__").mkdir()  # somebody has run it
    again = shed.export(exported.folder, "late@2")
    assert read_provenance(again.folder).version == 2
    assert not (again.folder / "app" / "pipeline" / "__pycache__").exists()
    assert [path.name for path in again.folder.parent.iterdir()] == ["late"]


@pytest.mark.slow
@pytest.mark.parametrize("change", ["added", "edited", "model"])
def test_an_earlier_export_that_somebody_worked_in_is_left_alone(shed: Shed, exported: Exported, change: str) -> None:
    file, said = {
        "added": ("compose.yaml", r"compose\.yaml is not of it"),
        "edited": ("Containerfile", "Containerfile was changed"),
        "model": ("model/signature.json", r"signature\.json has changed"),
    }[change]
    (exported.folder / file).write_text("mine")
    with pytest.raises(Conflict, match=said):
        shed.export(exported.folder)
    assert (exported.folder / file).read_text() == "mine"


@pytest.mark.slow
def test_a_folder_with_something_else_in_it_is_left_alone(shed: Shed, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("years of work")
    with pytest.raises(Conflict, match="it is not empty, and no export"):
        shed.export(tmp_path / "out")
    (tmp_path / "out" / "thesis.txt").unlink()
    assert shed.export(tmp_path / "out").files > 30


# ------------------------------------------------------------------------------------------- what builds it


def test_every_path_and_program_of_the_containerfile_is_there(exported: Exported) -> None:
    text = (exported.folder / "Containerfile").read_text(encoding="utf-8")
    assert text.startswith("# Version 1 of late")
    assert re.search(r"^FROM python:3\.12-slim-bookworm$", text, re.M)
    copied = re.findall(r"^COPY (.+) \S+$", text, re.M)
    assert {name for line in copied for name in line.split()} == {
        "requirements.txt",
        "app/",
        "model/",
        "provenance.json",
    }
    for line in copied:
        for name in line.split():
            assert (exported.folder / name).exists()
    assert text.index("USER 10001") < text.index("CMD [")
    for module in re.findall(r'"-m", "([\w.]+)"', text):
        assert source_of(exported.folder / "app", module) is not None, module
    assert len(re.findall("HEALTHCHECK", text)) == 1
    assert "$" not in text


def test_so_it_is_for_lambda(function_folder: Path) -> None:
    text = (function_folder / "Containerfile").read_text(encoding="utf-8")
    assert re.search(r"^FROM amazon/aws-lambda-python:3\.12$", text, re.M)
    for line in re.findall(r"^COPY (.+) \S+$", text, re.M):
        for name in line.split():
            assert (function_folder / name).exists()
    assert 'CMD ["handler.handler"]' in text
    compile((function_folder / "handler.py").read_text(encoding="utf-8"), "handler.py", "exec")
    assert source_of(function_folder / "app", "pipeline.standalone.function") is not None


def test_the_readme_shows_a_row_that_the_model_takes(exported: Exported) -> None:
    text = (exported.folder / "README.md").read_text(encoding="utf-8")
    assert """-d '{"distance": 1.0, "carrier": "AA", "hour": 1.0}'""" in text
    assert Template(text).get_identifiers() == []


# ------------------------------------------------------------------------------------------- what is refused


def test_onnx_is_refused_with_its_reason_and_what_can_be_done() -> None:
    with pytest.raises(NotExportable, match="nothing that is kept up turns StableHLO into ONNX") as caught:
        target_of("onnx")
    assert "--to container" in caught.value.remedy
    with pytest.raises(NotExportable, match="there is no target 'zip'"):
        target_of("zip")


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("late", "names no version"),
        ("@production", "names no version"),
        ("late@", "names no version"),
        ("late@9", "there is no version 9 of late"),
        ("early@production", "there is no version of early"),
        ("late@canary", "canary of late points at no version"),
    ],
)
def test_a_reference_that_leads_nowhere_says_so(shed: Shed, tmp_path: Path, reference: str, said: str) -> None:
    with pytest.raises(NotFound, match=said):
        shed.export(tmp_path / "out", reference)


def test_without_a_record_it_says_what_makes_one(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="there is no record yet"), reading(Home(tmp_path)):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_record_of_another_schema_is_not_read(shed: Shed) -> None:
    engine = reader_engine(shed.home.database)
    try:
        with pytest.raises(Conflict, match="the record has an older schema"):
            require_present(engine, shed.home, History((*OURS.revisions, "later"), OURS.scripts))
    finally:
        engine.dispose()


def test_the_program_says_what_it_wrote_and_what_comes_next(
    shed: Shed, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRAINSHED_HOME", str(shed.home.root))
    into = tmp_path / "late"
    assert main(["late@production", "--to", "container", "--into", str(into), "--project", str(tmp_path)]) == 0
    told = capsys.readouterr().out
    assert f"late 1 (production) → {into}" in told
    assert f"→ cd {into} && docker build -f Containerfile -t late:1 ." in told
    assert main(["late@production", "--to", "onnx", "--project", str(tmp_path)]) == 1
    assert "--to onnx: a version cannot be exported to ONNX" in capsys.readouterr().err
