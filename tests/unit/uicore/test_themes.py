"""Every tone can be read on every ground, in every theme that has colours of its own."""

from __future__ import annotations

import pytest
from textual.color import Color
from textual.theme import Theme

from tui.glass.sheet import Sheet
from tui.themes import THEMES

OWN = [theme for theme in THEMES.values() if not theme.ansi]
LEAST = 4.5
"""WCAG 2.2, success criterion 1.4.3."""


def contrast(one: str, other: str) -> float:
    """WCAG 2.2's contrast ratio of two sRGB colours, 1 … 21."""
    lights = sorted((_luminance(Color.parse(one)), _luminance(Color.parse(other))))
    return (lights[1] + 0.05) / (lights[0] + 0.05)


def _luminance(color: Color) -> float:
    parts = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in color.normalized]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def test_a_stylesheet_is_read_once_with_the_colours_of_a_theme_and_anew_with_others() -> None:
    first, again, other = (Sheet(variables={"tone": tone}) for tone in ("#111111", "#111111", "#222222"))
    for sheet in (first, again, other):
        sheet.add_source("Static { color: $tone; }")
    assert first.rules[0] is again.rules[0]
    assert [sheet.rules[0].styles.color.hex for sheet in (first, other)] == ["#111111", "#222222"]


def test_contrast_is_21_for_black_on_white_and_1_for_the_same_colour_twice() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21.0)
    assert contrast("#777777", "#777777") == pytest.approx(1.0)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01), "the textbook's grey that just fails"


@pytest.mark.parametrize("theme", OWN, ids=lambda theme: theme.name)
def test_each_tone_has_a_contrast_of_at_least_4_5_on_each_ground(theme: Theme) -> None:
    texts = {
        "text": theme.foreground,
        "live": theme.primary,
        "key": theme.accent,
        "warn": theme.warning,
        "bad": theme.error,
        "good": theme.success,
        "dim": theme.variables["tone-dim"],
        "mark": theme.variables["tone-mark"],
    }
    grounds = {"background": theme.background, "surface": theme.surface}
    too_low = {
        f"{name} on {ground}": round(contrast(str(color), str(behind)), 2)
        for name, color in texts.items()
        for ground, behind in grounds.items()
        if contrast(str(color), str(behind)) < LEAST
    }
    assert not too_low


@pytest.mark.parametrize("theme", OWN, ids=lambda theme: theme.name)
def test_what_stands_on_bars_and_on_the_cursor_can_be_read(theme: Theme) -> None:
    panel = str(theme.panel)
    on_bars = [theme.foreground, theme.accent, theme.warning, theme.error, theme.success, theme.variables["tone-dim"]]
    ratios = [contrast(str(color), panel) for color in on_bars]
    ratios.append(contrast(theme.variables["cursor-text"], theme.variables["cursor"]))
    assert min(ratios) >= LEAST, [round(ratio, 2) for ratio in ratios]


def test_there_are_the_six_themes() -> None:
    assert list(THEMES) == ["dark", "light", "high-contrast", "mono", "ansi-dark", "ansi-light"]
