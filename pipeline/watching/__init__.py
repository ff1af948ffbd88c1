"""Watching: is what a model is asked now like what it learned from? Profiles, measures, verdicts."""
