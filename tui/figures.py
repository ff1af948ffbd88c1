"""Numbers as people read them; what is missing is a dash. Pure."""

from __future__ import annotations

from typing import Final

_SIZES: Final = ("B", "KB", "MB", "GB", "TB")


def count(number: float | None) -> str:
    """1234567 → "1,234,567"."""
    return "-" if number is None else f"{number:,.0f}"


def about(number: float) -> str:
    """To two digits: what only grows is another one a hundred times less often."""
    return count(float(f"{number:.2g}"))


def figure(number: float | None) -> str:
    """Four significant digits; a large whole number in full, "15,326"."""
    if number is not None and abs(number) >= 1000 and number == int(number):
        return count(number)
    return "-" if number is None else f"{number + 0.0:.4g}"  # and no -0


def size(number: float | None) -> str:
    """Bytes in decimal units: 1_234_567 → "1.2 MB"."""
    if number is None:
        return "-"
    scaled, unit = float(number), 0
    while scaled >= 1000 and unit < len(_SIZES) - 1:
        scaled, unit = scaled / 1000, unit + 1
    return f"{scaled:.0f} {_SIZES[unit]}" if unit == 0 or scaled >= 100 else f"{scaled:.1f} {_SIZES[unit]}"
