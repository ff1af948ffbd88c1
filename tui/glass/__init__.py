"""Between Textual and the terminal: what stands on the screen is known here, and only what differs is sent."""

from __future__ import annotations
