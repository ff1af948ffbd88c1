"""The loop: exact whatever the chunks, one compilation, no hidden waiting, good manners when numbers go bad."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx

from pipeline.models.flat import flatten
from pipeline.process.context import Preempted
from pipeline.training.batches import BatchPlan, Rows
from pipeline.training.saved import Resume, pack, unpack
from pipeline.training.stopping import Progress
from store.errors import Diverged

pytestmark = pytest.mark.slow  # trains for real

Bench = Any
Digest = Callable[[Any], str]


class Plain(nnx.Module):
    """Logistic regression."""

    def __init__(self, rngs: nnx.Rngs) -> None:
        self.layer = nnx.Linear(3, 1, rngs=rngs)

    def losses(self, rows: Rows) -> jax.Array:
        logits = self.layer(rows.numeric)[:, 0]
        return jnp.asarray(optax.sigmoid_binary_cross_entropy(logits, rows.target))

    def scores(self, numeric: jax.Array, categorical: jax.Array) -> jax.Array:
        return jax.nn.sigmoid(self.layer(numeric)[:, 0])

    def score_losses(self, scores: jax.Array, target: jax.Array) -> jax.Array:
        return jnp.abs(scores - target)


class Shelf:
    """A saver that keeps copies in memory."""

    def __init__(self) -> None:
        self.saved: dict[int, Resume] = {}
        self.on_disk = -1
        """The newest step that was waited for."""

    def save(self, step: int, arrays: dict[str, Any], facts: dict[str, Any]) -> None:
        copied = jax.tree.map(np.array, arrays)
        self.saved[step] = Resume(arrays=copied, progress=Progress.model_validate(facts))

    def idle(self) -> bool:
        return True

    def wait(self) -> None:
        self.on_disk = max(self.saved, default=-1)

    def resume(self, step: int) -> Resume:
        saved = self.saved[step]
        return Resume(arrays=jax.device_put(saved.arrays), progress=saved.progress)


def test_it_learns(bench: Bench) -> None:
    fitted = bench.fit(bench.lesson())
    assert fitted.progress.best.objective > 0.75
    assert fitted.progress.step == 30
    assert len(bench.notes.losses) == 30
    assert np.mean(bench.notes.losses[-10:]) < np.mean(bench.notes.losses[:10])


def test_the_length_of_chunks_changes_no_bit(bench: Bench, digest: Digest) -> None:
    expected = bench.fit(bench.lesson(chunk=1))
    for chunk in (3, None):
        found = bench.fit(bench.lesson(chunk=chunk))
        assert digest((found.leaves, found.state)) == digest((expected.leaves, expected.state)), chunk
        assert found.progress == expected.progress


def test_steps_in_blocks_give_the_same_up_to_rounding_and_the_same_bits_whatever_the_chunks(
    bench: Bench, digest: Digest
) -> None:
    bench.fit(bench.lesson())
    expected = bench.fit(bench.lesson(block=4, chunk=10))
    for chunk in (7, None):  # an epoch is ten steps: seven are two blocks and a half
        found = bench.fit(bench.lesson(block=4, chunk=chunk))
        np.testing.assert_allclose(bench.notes.losses[-30:], bench.notes.losses[:30], rtol=1e-3)
        assert len(bench.notes.losses) == 30 * (3 if chunk == 7 else 4)
        if chunk is None:
            assert digest((found.leaves, found.state)) == digest((expected.leaves, expected.state))


@pytest.mark.parametrize("block", [1, 4, 16])
def test_patience_with_bad_steps_ends_at_the_same_step_in_blocks_of_any_length(bench: Bench, block: int) -> None:
    """The sixth to the ninth step are bad, the tenth would be good again: nothing may be learned from it."""
    plan = BatchPlan(150, 16, 0)
    rows = bench.lesson().train
    target = np.array(rows.target)
    for step in (2, 5, 6, 7, 8):
        target[plan.ids(step)[0]] = np.nan
    with pytest.raises(Diverged):
        bench.fit(bench.lesson(train=rows._replace(target=target), block=block))
    assert bench.notes.finite == [True, True, False, True, True, False, False, False, False]


def test_rows_on_the_device_give_the_same_up_to_rounding(bench: Bench) -> None:
    bench.fit(bench.lesson())
    bench.fit(bench.lesson(placement="device"))
    losses = np.asarray(bench.notes.losses).reshape(2, 30)
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-3)


def test_the_training_step_is_compiled_once_also_with_a_ragged_last_batch(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    lesson = bench.lesson()
    assert lesson.train.size % lesson.training.batch != 0
    with caplog.at_level(logging.WARNING, "jax"), jax.log_compiles(True):
        bench.fit(lesson)
    compiled = [m for m in caplog.messages if m.startswith("Finished XLA compilation of jit(train_chunk)")]
    assert len(compiled) == 1
    assert bench.notes.compilations == 1


def test_the_filling_of_the_last_batch_does_not_count(bench: Bench) -> None:
    """13 rows in batches of 8: the last batch shows its 5 rows, and 3 of them once more with weight zero."""
    lesson = bench.lesson()
    train = lesson.train.take(np.arange(13))
    model, leaves = flatten(Plain, seed=0)
    rate = {"learning_rate": 1e-12, "batch": 8, "epochs": 1, "clip": None}
    training = lesson.training.model_copy(update=rate)
    bench.fit(replace(lesson, model=model, leaves=leaves, train=train, training=training))
    plan = BatchPlan(13, 8, 0)
    last = train.take(plan.ids(1)[: plan.live(1)])
    losses = model.module(leaves, train=True).losses(last)
    assert losses.shape == (5,)
    assert bench.notes.losses[1] == pytest.approx(float(losses.mean()), rel=1e-5)


def test_a_bad_row_spoils_its_own_batch_only(bench: Bench) -> None:
    """Row by row over the batches of an epoch, the last, ragged one too."""
    plan = BatchPlan(150, 16, 0)
    rows = bench.lesson().train
    for batch in (0, 9):
        target = np.array(rows.target)
        target[plan.ids(batch)[0]] = np.nan
        bench.notes.finite.clear()
        bench.fit(bench.lesson(train=rows._replace(target=target)))
        assert [step for step, finite in enumerate(bench.notes.finite[:10]) if not finite] == [batch]


def test_every_chunk_is_told_once_and_in_order(bench: Bench) -> None:
    bench.fit(bench.lesson(chunk=3))
    steps = [step for first, done in bench.notes.chunks for step in range(first, first + done)]
    assert steps == list(range(30))


def test_patience_ends_the_training_and_the_best_state_is_returned(bench: Bench, digest: Digest) -> None:
    """A learning rate that wrecks the network after its first good epoch."""
    fitted = bench.fit(bench.lesson(epochs=30, patience=3, learning_rate=3.0, schedule="constant", optimizer="sgd"))
    progress = fitted.progress
    assert progress.finished
    assert progress.step < 300
    assert progress.step == progress.best.step + 3 * 10
    assert progress.best.objective == max(one.objective for one in bench.notes.evaluations)
    assert digest(fitted.leaves) != digest(fitted.state.model)


def test_a_resumed_run_equals_the_uninterrupted_one_from_any_step(bench: Bench, digest: Digest) -> None:
    whole = bench.fit(bench.lesson(patience=2))
    for cut in (1, 13, 29):
        shelf = Shelf()
        bench.notes.after_chunk = lambda step, cut=cut: bench.stop.set() if step >= cut else None
        with pytest.raises(Preempted):
            bench.fit(bench.lesson(patience=2, chunk=1), saver=shelf)
        bench.stop.clear()
        bench.notes.after_chunk = lambda step: None
        (step,) = shelf.saved
        assert step >= cut
        resumed = bench.fit(bench.lesson(patience=2), resume=shelf.resume(step), saver=shelf)
        assert digest((resumed.leaves, resumed.state)) == digest((whole.leaves, whole.state)), cut
        assert resumed.progress == whole.progress
        assert 30 in shelf.saved


def test_a_finished_run_is_not_trained_again(bench: Bench, digest: Digest) -> None:
    shelf = Shelf()
    whole = bench.fit(bench.lesson(), saver=shelf)
    told = len(bench.notes.losses)
    again = bench.fit(bench.lesson(), resume=shelf.resume(30), saver=shelf)
    assert len(bench.notes.losses) == told
    assert digest(again.leaves) == digest(whole.leaves)


def test_a_checkpoint_due_at_the_last_step_says_that_the_training_is_over_and_is_waited_for(bench: Bench) -> None:
    shelf = Shelf()
    fitted = bench.fit(bench.lesson(checkpoint_every="0s"), saver=shelf)
    assert shelf.saved[fitted.progress.step].progress == fitted.progress
    assert fitted.progress.finished
    assert shelf.on_disk == fitted.progress.step


def test_a_step_with_a_bad_row_is_skipped_and_leaves_the_state_alone(bench: Bench) -> None:
    spoilt = bench.lesson().train
    numeric = np.array(spoilt.numeric)
    numeric[77] = np.inf
    fitted = bench.fit(bench.lesson(train=spoilt._replace(numeric=numeric)))
    assert fitted.progress.skipped == 3, "once an epoch"
    assert bench.notes.finite.count(False) == 3
    assert all(np.isfinite(np.asarray(leaf)).all() for leaf in jax.tree.leaves(fitted.state.model))


def test_too_many_bad_steps_in_a_row_end_the_run_and_name_steps_and_rows(bench: Bench) -> None:
    shelf = Shelf()
    spoilt = bench.lesson().train
    target = np.array(spoilt.target)
    target[::8] = np.nan
    lesson = bench.lesson(train=spoilt._replace(target=target), name_rows=lambda ids: [f"flight {n}" for n in ids])
    with pytest.raises(Diverged) as caught:
        bench.fit(lesson, saver=shelf)
    assert "steps 1 to 4" in caught.value.what
    named = [int(number) for number in re.findall(r"flight (\d+)", caught.value.what)]
    assert named
    assert all(number % 8 == 0 for number in named)
    assert "check" in caught.value.remedy
    assert not shelf.saved
    assert len(bench.notes.finite) == 4, "nothing ran after the fourth"


def test_a_state_that_is_not_finite_is_never_saved(bench: Bench) -> None:
    """Loss and gradient can be finite and the update not: here the optimiser's memory has overflowed."""
    shelf = Shelf()
    bench.fit(bench.lesson(), saver=shelf)
    good = shelf.saved.pop(30)
    overflowed = {
        key: np.full_like(leaf, np.inf) if leaf.dtype == np.float32 else leaf
        for key, leaf in good.arrays["optimizer"].items()
    }
    bad = Resume(
        arrays=jax.device_put({**good.arrays, "optimizer": overflowed}),
        progress=good.progress.model_copy(update={"finished": False, "step": 20}),
    )
    with pytest.raises(Diverged) as caught:
        bench.fit(bench.lesson(), resume=bad, saver=shelf)
    assert "learning_rate" in caught.value.remedy
    assert not shelf.saved


def test_packing_a_state_for_a_checkpoint_loses_nothing(bench: Bench, digest: Digest) -> None:
    fitted = bench.fit(bench.lesson())
    state, best = unpack(pack((fitted.state, fitted.leaves)))
    assert digest((state, best)) == digest((fitted.state, fitted.leaves))


def test_the_ledger_adds_up(bench: Bench) -> None:
    figures = bench.fit(bench.lesson()).figures
    causes = sum(value for name, value in figures.items() if name not in {"total", "goodput"})
    assert causes == pytest.approx(figures["total"], rel=0.05)
    assert 0 < figures["goodput"] < 1
