"""How the memory that Arrow computes in is cut into pages."""

from __future__ import annotations

from typing import Final

SMALL_PAGES: Final = {"MIMALLOC_ALLOW_THP": "0"}
"""For the environment of a program that is about to load Arrow.

Its allocator asks Linux for pages of 2 MB and spreads what it holds over many of them, and each is filled with zeros as
a whole at its first touch: a Parquet file of 45 MB, read once, costs 0.15 to 0.28 s of CPU so and 0.11 to 0.16 with
pages of 4 kB (measured, pyarrow 26).
"""
