"""The six themes, and what each tone of a text looks like in them.

Meaning is carried by a glyph and a word first; a tone only helps the eye. Contrast of every tone on every ground is
computed in the tests: at least 4.5 : 1 (WCAG 2.2, 1.4.3).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, get_args

from textual.theme import Theme

Tone = Literal["", "good", "bad", "warn", "live", "dim", "strong", "key", "mark"]
"""What a text means: fine, failed, wants a look, in motion, beside the point, a heading, a key, marked."""
TONES: Final[tuple[Tone, ...]] = get_args(Tone)
STYLES: Final[Mapping[Tone, str]] = {
    "": "",
    "good": "$success",
    "bad": "$error",
    "warn": "$warning",
    "live": "$primary",
    "dim": "$tone-dim",
    "strong": "bold",
    "key": "$accent",
    "mark": "$tone-mark",
}


def _theme(name: str, *, dark: bool, ground: tuple[str, str, str], text: tuple[str, str], **tones: str) -> Theme:
    background, surface, panel = ground
    foreground, dim = text
    return Theme(
        name=name,
        primary=tones["live"],
        secondary=tones["live"],
        accent=tones["key"],
        warning=tones["warn"],
        error=tones["bad"],
        success=tones["good"],
        foreground=foreground,
        background=background,
        surface=surface,
        panel=panel,
        dark=dark,
        text_alpha=1.0,
        variables={
            "tone-dim": dim,
            "tone-mark": tones["mark"],
            "cursor": tones["cursor"],
            "cursor-text": tones["cursor_text"],
            "scrollbar": panel,
            "scrollbar-background": background,
            "scrollbar-hover": dim,
            "scrollbar-active": foreground,
            "scrollbar-corner-color": background,
        },
    )


def _ansi(name: str, *, dark: bool) -> Theme:
    """The terminal's own colours: sixteen of them, and half the bytes."""
    strong = "ansi_bright_" if dark else "ansi_"
    ink, paper = ("ansi_black", "ansi_white") if dark else ("ansi_white", "ansi_black")
    return Theme(
        name=name,
        ansi=True,
        primary=f"{strong}cyan",
        secondary=f"{strong}cyan",
        accent=f"{strong}blue",
        warning=f"{strong}yellow",
        error=f"{strong}red",
        success=f"{strong}green",
        foreground="ansi_default",
        background="ansi_default",
        surface="ansi_default",
        panel="ansi_default",
        boost="ansi_default",
        dark=dark,
        variables={
            "tone-dim": "ansi_default",
            "tone-mark": f"{strong}magenta",
            "cursor": paper,
            "cursor-text": ink,
            "ansi-background": "ansi_default",
            "ansi-foreground": "ansi_default",
            "border-blurred": "ansi_default",
            "block-cursor-foreground": ink,
            "block-cursor-background": paper,
            "input-cursor-background": paper,
            "input-cursor-foreground": ink,
            "input-selection-background": paper,
            "input-selection-foreground": ink,
            "screen-selection-background": paper,
            "screen-selection-foreground": ink,
            "scrollbar": "ansi_default",
            "scrollbar-background": "ansi_default",
            "scrollbar-hover": "ansi_default",
            "scrollbar-active": "ansi_default",
            "scrollbar-corner-color": "ansi_default",
        },
    )


THEMES: Final[Mapping[str, Theme]] = {
    theme.name: theme
    for theme in (
        _theme(
            "dark",
            dark=True,
            ground=("#14171c", "#1b1f26", "#2b313b"),
            text=("#d7dce4", "#98a2b3"),
            live="#6fb7e9",
            good="#7fcf8f",
            warn="#e3b75f",
            bad="#f2827f",
            key="#a9b8ff",
            mark="#e59ee0",
            cursor="#2f4a6b",
            cursor_text="#ffffff",
        ),
        _theme(
            "light",
            dark=False,
            ground=("#fbfbf9", "#f1f1ee", "#dcdcd6"),
            text=("#22262d", "#5a616c"),
            live="#0a5f97",
            good="#17682f",
            warn="#7d5200",
            bad="#a8231d",
            key="#3f48b0",
            mark="#8a2486",
            cursor="#c6dcf2",
            cursor_text="#101418",
        ),
        _theme(
            "high-contrast",
            dark=True,
            ground=("#000000", "#000000", "#3a3a3a"),
            text=("#ffffff", "#d0d0d0"),
            live="#66d9ff",
            good="#5dff7f",
            warn="#ffd84d",
            bad="#ff9a94",
            key="#c8c8ff",
            mark="#ff9dff",
            cursor="#ffffff",
            cursor_text="#000000",
        ),
        _theme(
            "mono",
            dark=True,
            ground=("#101010", "#161616", "#2e2e2e"),
            text=("#dadada", "#a0a0a0"),
            live="#ffffff",
            good="#dadada",
            warn="#ffffff",
            bad="#ffffff",
            key="#ffffff",
            mark="#ffffff",
            cursor="#dadada",
            cursor_text="#101010",
        ),
        _ansi("ansi-dark", dark=True),
        _ansi("ansi-light", dark=False),
    )
}
