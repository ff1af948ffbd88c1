"""Logs of any size: safe text (plain), a bounded piece of the file (piece), a tail that follows, and the widget."""
