"""Bundles: written once, verified before they are read, answering as the model they were made from."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jax import export

from pipeline.judging.gates import Verdict
from pipeline.versions import seal
from pipeline.versions.bundle import Bundle, load_bundle, write_bundle
from pipeline.versions.signature import InputColumn, Signature
from store.errors import BundleDamaged, SchemaChanged
from store.home import Home
from store.workspace import workspace
from tests.evidence import least_evidence
from tests.examples import examples

SIGNATURE = Signature(
    inputs=[
        InputColumn(name="distance", kind="numeric"),
        InputColumn(name="hour", kind="numeric"),
        InputColumn(name="carrier", kind="categorical", vocabulary=["AA", "UA"]),
    ],
    task="binary",
    label="late",
    classes=["false", "true"],
)
PARAMS = {
    "scale.mean": np.array([500.0, 12.0], np.float32),
    "layers/0/kernel": np.array([0.3, -0.2], np.float32),
    "carrier": np.array([0.0, 0.5, 1.0, -1.0], np.float32),
}


def apply(params: dict[str, jax.Array], numeric: jax.Array, categorical: jax.Array) -> jax.Array:
    """A small real model: missing → mean, linear, an embedding, a logistic."""
    filled = jnp.where(jnp.isnan(numeric), 0.0, (numeric - params["scale.mean"]) / 100.0)
    return jax.nn.sigmoid(filled @ params["layers/0/kernel"] + params["carrier"][categorical].sum(axis=1))


def expected(distance: float, hour: float, carrier: float) -> float:
    return float(1 / (1 + np.exp(-((distance - 500) / 100 * 0.3 + (hour - 12) / 100 * -0.2 + carrier))))


ROWS = pa.table({"carrier": ["AA", "DL", None], "distance": [500.0, None, 700.0], "hour": [12, 12, 2], "id": [1, 2, 3]})


def written(home: Home) -> Bundle:
    return write_bundle(
        home,
        apply=apply,
        params=PARAMS,
        signature=SIGNATURE,
        golden=ROWS,
        evidence=least_evidence(),
        verdict=Verdict(passed=True, gates=[]),
        lineage={"run": 3},
    )


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return written(Home(tmp_path_factory.mktemp("home")))


def test_a_loaded_bundle_answers_raw_rows_with_missing_and_unseen_values(bundle: Bundle) -> None:
    scores = load_bundle(bundle.path).predict(ROWS)
    hand = [expected(500, 12, 1.0), expected(500, 12, 0.5), expected(700, 2, 0.0)]
    np.testing.assert_allclose(scores, hand, rtol=1e-5)


def test_the_golden_rows_come_back_bit_for_bit_on_the_machine_that_wrote_them(bundle: Bundle) -> None:
    check = load_bundle(bundle.path).check_golden()
    assert check.passed
    assert check.tolerance == 0.0
    assert check.difference == 0.0


def test_the_order_of_columns_and_further_columns_do_not_matter(bundle: Bundle) -> None:
    loaded = load_bundle(bundle.path)
    np.testing.assert_array_equal(loaded.predict(ROWS), loaded.predict(ROWS.select(["hour", "distance", "carrier"])))


@pytest.mark.slow
def test_many_rows_are_answered_as_they_are_one_by_one(bundle: Bundle) -> None:
    loaded = load_bundle(bundle.path)
    many = pa.concat_tables([ROWS] * 3000)
    np.testing.assert_allclose(loaded.predict(many), np.tile(loaded.predict(ROWS), 3000), rtol=1e-6)
    assert loaded.predict(ROWS.slice(0, 0)).shape == (0,)


def test_a_row_without_a_column_is_refused_by_name(bundle: Bundle) -> None:
    with pytest.raises(SchemaChanged, match="hour is not in the rows"):
        load_bundle(bundle.path).predict(ROWS.drop_columns(["hour"]))


def test_the_folder_is_named_by_its_digest_and_nothing_is_left_beside_it(bundle: Bundle) -> None:
    assert bundle.path.name == bundle.digest
    assert [path.name for path in bundle.path.parent.iterdir()] == [bundle.digest]


def test_every_file_and_folder_of_a_bundle_is_read_only(bundle: Bundle) -> None:
    modes = {path.stat().st_mode & 0o222 for path in [bundle.path, *bundle.path.rglob("*")]}
    assert modes == {0}


def test_evidence_and_lineage_come_back_as_they_were_written(bundle: Bundle) -> None:
    loaded = load_bundle(bundle.path)
    assert loaded.evidence == least_evidence()
    assert loaded.lineage == {"run": 3}
    assert loaded.signature == SIGNATURE


def test_a_bundle_that_fails_to_be_written_leaves_nothing(tmp_path: Path) -> None:
    home = Home(tmp_path)
    with pytest.raises(SchemaChanged):
        write_bundle(
            home,
            apply=apply,
            params=PARAMS,
            signature=SIGNATURE,
            golden=ROWS.set_column(1, "distance", pa.array(["far", "far", "far"])),
            evidence=least_evidence(),
            verdict=Verdict(passed=True, gates=[]),
            lineage={},
        )
    assert list(home.versions.iterdir()) == []


@pytest.mark.slow
def test_what_a_killed_writer_left_is_swept_and_what_another_one_is_writing_stays(tmp_path: Path) -> None:
    home = Home(tmp_path)
    left = home.versions / ".writing-left"
    (left / "parameters").mkdir(parents=True)
    with workspace(home.versions) as busy:
        assert not left.exists()
        made = written(home)
        assert busy.exists()
    assert [path.name for path in home.versions.iterdir()] == [made.digest]


def copied(bundle: Bundle, target: Path) -> Path:
    shutil.copytree(bundle.path, target / bundle.digest)
    for path in [target / bundle.digest, *(target / bundle.digest).rglob("*")]:
        os.chmod(path, 0o755)
    return target / bundle.digest


@pytest.mark.slow
@settings(max_examples=examples(60), suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_any_flipped_bit_is_found_before_anything_is_loaded(bundle: Bundle, data: st.DataObject) -> None:
    files = sorted(path for path in bundle.path.rglob("*") if path.is_file() and path.stat().st_size)
    file = data.draw(st.sampled_from(files))
    original, mode = file.read_bytes(), file.stat().st_mode
    place = data.draw(st.integers(0, len(original) * 8 - 1))
    flipped = bytearray(original)
    flipped[place // 8] ^= 1 << (place % 8)
    file.chmod(0o644)
    try:
        file.write_bytes(flipped)
        with pytest.raises(BundleDamaged, match=r"not those that were sealed"):
            load_bundle(bundle.path)
    finally:
        file.write_bytes(original)
        file.chmod(mode)


def test_a_missing_an_added_and_a_linked_file_are_each_named(bundle: Bundle, tmp_path: Path) -> None:
    copy = copied(bundle, tmp_path)
    (copy / "more.txt").write_text("more")
    with pytest.raises(BundleDamaged, match=r"more\.txt is in the folder and not in its manifest"):
        load_bundle(copy)
    (copy / "more.txt").unlink()
    (copy / "lineage.json").rename(tmp_path / "lineage.json")
    with pytest.raises(BundleDamaged, match=r"lineage\.json cannot be read"):
        load_bundle(copy)
    (copy / "lineage.json").symlink_to(tmp_path / "lineage.json")
    with pytest.raises(BundleDamaged, match=r"lineage\.json is a link"):
        load_bundle(copy)


def test_a_manifest_made_to_fit_changed_files_is_found_by_the_digest(bundle: Bundle, tmp_path: Path) -> None:
    copy = copied(bundle, tmp_path)
    (copy / "lineage.json").write_text('{"run": 4}')
    (copy / "manifest.json").unlink()
    assert seal.seal(copy) != bundle.digest
    with pytest.raises(BundleDamaged, match=r"manifest\.json has digest"):
        load_bundle(copy)


def test_a_copy_under_another_name_is_verified_by_its_own_manifest(bundle: Bundle, tmp_path: Path) -> None:
    copied(bundle, tmp_path).rename(tmp_path / "late-3")
    assert load_bundle(tmp_path / "late-3").check_golden().passed


def test_a_version_does_not_tell_where_the_code_lay_that_it_was_made_with(bundle: Bundle) -> None:
    written_down = (bundle.path / "function.stablehlo").read_bytes()
    assert b".py" not in written_down
    assert str(Path(__file__).parents[3]).encode() not in written_down


def test_products_are_written_down_in_full_precision_for_every_platform(bundle: Bundle) -> None:
    function = export.deserialize(bytearray((bundle.path / "function.stablehlo").read_bytes()))
    assert function.platforms == ("cpu", "cuda", "tpu")
    assert "HIGHEST" in function.mlir_module()
