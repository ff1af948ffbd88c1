"""The prediction log: what was asked and answered, written beside the hot path and read into the lake exactly once."""
