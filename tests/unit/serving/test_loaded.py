"""Versions on their way to answering: pressed, loaded, warm, golden; or refused with the reason."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pyarrow.parquet as pq
import pytest
from jax.experimental.compilation_cache import compilation_cache

from pipeline.serving.buckets import bucket_of, buckets, pieces
from pipeline.serving.compilations import Compilations
from pipeline.serving.loaded import LoadedVersion, load_version
from pipeline.serving.press import press
from pipeline.training.devices import use_cache
from pipeline.versions import seal
from pipeline.versions.bundle import load_bundle
from pipeline.versions.encoding import encode
from store.errors import BundleDamaged, GoldenMismatch, NotServed
from store.home import Home
from tests.unit.serving.bench import Bench

LARGEST = 16


def random_rows(count: int, seed: int = 0) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    numeric = rng.normal(500, 100, (count, 2)).astype(np.float32)
    return numeric, rng.integers(0, 6, (count, 1)).astype(np.int32)


def writable(folder: Path) -> None:
    for path in [folder, *folder.rglob("*")]:
        os.chmod(path, 0o755)


def test_buckets_are_powers_of_two_that_hold_what_is_asked() -> None:
    assert buckets(1) == (1,)
    assert buckets(16) == (1, 2, 4, 8, 16)
    assert buckets(17)[-1] == 32
    for rows in range(1, 300):
        assert bucket_of(rows) >= rows > bucket_of(rows) // 2
    assert list(pieces(40, 16)) == [(0, 16), (16, 32), (32, 40)]


@pytest.mark.slow
def test_a_loaded_version_scores_as_its_bundle_does(bench: Any) -> None:
    loaded = bench.loaded()
    bundle = load_bundle(bench.home.bundle(loaded.digest))
    for count in (1, 2, 3, 15, 16, 17, 40):
        numeric, categorical = random_rows(count)
        np.testing.assert_allclose(
            loaded.run(numeric, categorical), bundle.scores(numeric, categorical), rtol=1e-5, atol=1e-6
        )


@pytest.mark.slow
def test_nothing_is_compiled_once_a_version_is_loaded(loaded: LoadedVersion) -> None:
    compilations = Compilations()
    for count in range(1, LARGEST + 8):
        loaded.run(*random_rows(count))
    assert compilations.count == 0
    compilations.close()


@pytest.mark.slow
def test_a_second_version_of_the_same_architecture_compiles_nothing_and_shares_programs(bench: Any) -> None:
    first = bench.loaded()
    digest = bench.version(shift=0.5)
    assert press(bench.home, digest, LARGEST).compiled == 0
    compilations = Compilations()
    second = load_version(bench.home, digest, LARGEST, {first.programs_key: first.programs})
    assert second.programs is first.programs
    assert compilations.count == 0
    compilations.close()
    rows = random_rows(1)
    assert second.run(*rows)[0] > first.run(*rows)[0]


@pytest.mark.slow
def test_loading_reads_programs_from_disk_and_compiles_nothing(bench: Any) -> None:
    digest = bench.pressed()
    compilations = Compilations()
    load_version(bench.home, digest, LARGEST, {})
    assert compilations.count == 0
    compilations.close()


def test_a_version_that_was_not_pressed_is_refused_and_says_what_presses(bench: Any) -> None:
    with pytest.raises(NotServed, match="was not pressed for this machine"):
        load_version(bench.home, bench.version(), LARGEST, {})


def test_a_flipped_byte_of_the_bundle_is_found_by_the_press(bench: Any) -> None:
    digest = bench.version()
    writable(bench.home.bundle(digest))
    golden = bench.home.bundle(digest) / "golden.npy"
    golden.write_bytes(golden.read_bytes()[:-1] + b"\x01")
    with pytest.raises(BundleDamaged, match=r"golden\.npy has changed"):
        press(bench.home, digest, LARGEST)


@pytest.mark.slow
def test_a_truncated_pressed_file_is_refused_by_loading_and_pressed_anew(bench: Any) -> None:
    digest = bench.pressed()
    folder = bench.home.serving.pressed(digest)
    writable(folder)
    (folder / "parameters.bin").write_bytes(b"")
    with pytest.raises(BundleDamaged, match=r"parameters\.bin has changed"):
        load_version(bench.home, digest, LARGEST, {})
    press(bench.home, digest, LARGEST)
    assert load_version(bench.home, digest, LARGEST, {}).difference <= 1e-6


@pytest.mark.slow
def test_a_changed_program_is_never_unpickled_and_is_compiled_anew(bench: Any) -> None:
    digest = bench.pressed()
    (folder,) = bench.home.serving.executables_root.iterdir()
    writable(folder)
    (folder / "4.xla").write_bytes(b"cos\nsystem\n(S'false'\ntR.")
    with pytest.raises(BundleDamaged, match=r"4\.xla has changed"):
        load_version(bench.home, digest, LARGEST, {})
    assert press(bench.home, digest, LARGEST).compiled == 5


@pytest.mark.slow
def test_programs_that_others_may_write_are_not_unpickled(bench: Any) -> None:
    digest = bench.pressed()
    (folder,) = bench.home.serving.executables_root.iterdir()
    (folder / "4.xla").chmod(0o666)
    with pytest.raises(BundleDamaged, match="others may write it"):
        load_version(bench.home, digest, LARGEST, {})


def resealed(bench: Any, digest: str, change: Any) -> str:
    """The bundle, changed and sealed again under its new digest: sound by its bytes, wrong by its answers."""
    folder = bench.home.bundle(digest)
    writable(folder)
    change(folder)
    (folder / "manifest.json").unlink()
    other = seal.seal(folder)
    folder.rename(bench.home.bundle(other))
    return other


@pytest.mark.slow
def test_golden_scores_that_do_not_come_back_refuse_the_version(bench: Any) -> None:
    def change(folder: Path) -> None:
        np.save(folder / "golden.npy", np.load(folder / "golden.npy") + np.float32(0.01))

    with pytest.raises(GoldenMismatch, match=r"a score differs by 0\.01 \(batches of 1"):
        press(bench.home, resealed(bench, bench.version(), change), LARGEST)


@pytest.mark.slow
def test_a_score_that_is_not_a_number_refuses_the_version(bench: Any) -> None:
    def change(folder: Path) -> None:
        table = pq.read_table(folder / "golden.parquet")
        assert encode(table, load_bundle(folder, digest).signature)[0].shape == (3, 2)
        scores = np.load(folder / "golden.npy")
        scores[1] = np.nan
        np.save(folder / "golden.npy", scores)

    digest = bench.version()
    with pytest.raises(GoldenMismatch, match="a score is not a number"):
        press(bench.home, resealed(bench, digest, change), LARGEST)


@pytest.mark.slow
def test_programs_can_be_kept_where_jax_has_a_cache_of_its_own(tmp_path: Path) -> None:
    before = jax.config.jax_compilation_cache_dir  # type: ignore[attr-defined]
    use_cache(tmp_path / "xla")
    compilation_cache.reset_cache()
    try:
        for home in ("one", "two"):  # the second could take everything from the cache
            loaded = Bench(Home(tmp_path / home)).loaded()
            assert loaded.largest >= 1
        assert jax.config.jax_enable_compilation_cache  # type: ignore[attr-defined]
    finally:
        jax.config.update("jax_compilation_cache_dir", before)  # type: ignore[no-untyped-call]
        compilation_cache.reset_cache()
