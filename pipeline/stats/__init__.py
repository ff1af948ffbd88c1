"""Statistics: functions from arrays to numbers, with formula and source, no I/O and no configuration."""
