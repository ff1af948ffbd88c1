"""The headless daemon: decides when work runs, starts it, and records what happened."""
