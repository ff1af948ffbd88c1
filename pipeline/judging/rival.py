"""The version in production as the candidate's rival: its answers to the candidate's test rows, in the same terms."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from pipeline.judging.evaluate import ProductionScores
from pipeline.process.spec import ProductionFacts
from pipeline.stats.metrics import probabilities
from pipeline.versions.bundle import Scores, load_bundle
from pipeline.versions.signature import Signature
from store.errors import SchemaChanged
from store.home import Home


def production_scores(
    home: Home, production: ProductionFacts, candidate: Signature, test: pa.Table
) -> ProductionScores:
    """What the live version answers to the rows `test`, in the candidate's terms.

    Where it cannot answer (a column it needs is gone, another label) the result says why. Raises BundleDamaged.
    """
    rival = load_bundle(home.bundle(production.digest))
    reason = _incomparable(rival.signature, candidate)
    if reason:
        return ProductionScores(production.version, None, reason)
    try:
        scores = rival.predict(test)
    except SchemaChanged as error:
        return ProductionScores(production.version, None, f"it cannot answer these rows: {error.what}")
    return ProductionScores(production.version, in_terms_of(candidate, rival.signature, scores))


def in_terms_of(candidate: Signature, rival: Signature, scores: Scores) -> Scores:
    """A rival's scores with the candidate's classes in the candidate's order; a class it does not know has none.

    Both classify, or neither does.
    """
    if candidate.task == "regression" or candidate.classes == rival.classes:
        return scores
    known = probabilities(scores.astype(np.float64))
    ordered = np.zeros((len(scores), len(candidate.classes)), dtype=np.float32)
    for place, name in enumerate(candidate.classes):
        if name in rival.classes:
            ordered[:, place] = known[:, rival.classes.index(name)]
    return ordered[:, 1] if candidate.task == "binary" else ordered


def _incomparable(rival: Signature, candidate: Signature) -> str:
    if rival.label != candidate.label:
        return f"it predicts {rival.label}, not {candidate.label}"
    if (rival.task == "regression") != (candidate.task == "regression"):
        return f"it is a {rival.task} model, not {candidate.task}"
    if candidate.task == "binary" and candidate.classes[1] not in rival.classes:
        return f"it does not know {candidate.label} = {candidate.classes[1]}"
    return ""
