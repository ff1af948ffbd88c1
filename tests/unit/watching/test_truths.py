"""Label drift: the labels that come, against those that trained."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pipeline.versions.signature import InputColumn, Signature
from pipeline.watching.measures import measures
from pipeline.watching.numbers import NumberCells, NumberProfile
from pipeline.watching.truths import truth_profile, truth_reference
from pipeline.watching.verdict import Rules, decided
from store.errors import NotFound
from store.home import Home
from tests.unit.serving.bench import SIGNATURE, Bench
from tests.unit.watching.test_heldout import training_set

RULES = Rules(windows=1, needed=1)


def drawn(share: float, rows: int = 2000) -> Any:
    return (np.random.default_rng(7).random(rows) < share).astype(np.int32)


@pytest.mark.slow  # a version is made with JAX
def test_labels_are_a_column_like_any_other(tmp_path: Any) -> None:
    home = Home(tmp_path)
    digest, learned_from = Bench(home).version(), training_set(home, 3000)
    reference = truth_reference(home, digest, learned_from)
    assert reference.rows == 3000
    all_rows = np.ones(2000, np.bool_)
    same, more = (truth_profile(reference, SIGNATURE, drawn(share), all_rows) for share in (0.3, 0.55))
    assert decided([measures(reference, same)], RULES).answer == "steady"
    found = measures(reference, more)
    assert found.chi_square_p is not None
    assert found.chi_square_p < 1e-9
    told = decided([found], RULES)
    assert (told.answer, told.findings[0].measure) == ("drifted", "psi")
    again = truth_reference(home, digest, "gone")
    assert again.document() == reference.document()
    file = home.references / f"{digest}.labels.json"
    first = file.read_bytes()
    file.write_text("damaged")
    truth_reference(home, digest, learned_from)
    assert file.read_bytes() == first
    file.unlink()
    with pytest.raises(NotFound, match="no training set gone"):
        truth_reference(home, digest, "gone")


def test_only_labelled_rows_count_and_numbers_are_numbers() -> None:
    signature = Signature(inputs=[InputColumn(name="x", kind="numeric")], task="regression", label="delay")
    reference = NumberProfile.empty(NumberCells.fit([0.0, 1.0, 2.0]))
    found = truth_profile(reference, signature, np.array([1.0, 9.0, 0.0]), np.array([True, True, False]))
    assert (found.rows, found.counts.tolist()) == (2, [0, 0, 1, 0, 1, 0, 0, 0, 0])
    assert truth_profile(reference, signature, np.zeros(0), np.zeros(0, np.bool_)).rows == 0
