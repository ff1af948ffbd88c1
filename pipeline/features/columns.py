"""Which columns of a view's rows are its features. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.config.datasets import FeatureView


def feature_columns(view: FeatureView, known: Sequence[str]) -> list[str]:
    """The view's features among the columns of its rows."""
    own = {*view.entity, view.time, *([view.created] if view.created else [])}
    return view.columns or [column for column in known if column not in own]
