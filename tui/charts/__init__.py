"""Curves in text: pure drawing (series, ticks, dots, marks, plot) and one widget that shows it."""

from __future__ import annotations

from tui.charts.plot import MOST, Look, Plot, plot
from tui.charts.series import Curve, Series

__all__ = ["MOST", "Curve", "Look", "Plot", "Series", "plot"]
