"""Answering requests: pressed versions, codecs, batches, the door, the processes (docs/explanation/architecture.md)."""
