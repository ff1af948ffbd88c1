"""Paths that ask for predictions, and all others."""

from __future__ import annotations

import pytest

from pipeline.serving.destinations import Destination, Destinations, destination


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/v2/models/late/infer", Destination("rest", "late", None)),
        ("/v2/models/late//infer", Destination("rest", "late", None)),
        ("/v2/models/late/versions/3/infer", Destination("rest", "late", "3")),
        ("/v1/predict/late", Destination("plain", "late", None)),
        ("/v1/predict/late/", Destination("plain", "late", None)),
        ("/v1/predict/late/versions/3", Destination("plain", "late", "3")),
        ("/v2/models/late", None),
        ("/v2/models/late/ready", None),
        ("/v2/models/late/versions/3/x/infer", None),
        ("/v1/predict", None),
        ("/v1/predict/late/x", None),
        ("/v1/labels/late", None),
        ("", None),
    ],
)
def test_a_path_asks_a_model_for_predictions_or_something_else(path: str, found: Destination | None) -> None:
    assert destination(path) == found
    destinations = Destinations()
    assert [destinations.of(path) for _ in range(2)] == [found, found]


def test_paths_are_remembered_within_bounds() -> None:
    destinations = Destinations()
    for number in range(1000):
        destinations.of(f"/v1/predict/{number}")
    long = f"/v1/predict/{'x' * 100_000}"
    assert destinations.of(long) == Destination("plain", "x" * 100_000, None)
    facts = destinations._known.cache_info()
    assert (facts.currsize, facts.misses) == (256, 1000), "the long one is not among them"
