"""What an operator touches: the `trainshed` command (and, next, the terminal UI)."""
