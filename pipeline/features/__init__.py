"""`features:VIEW` and the point-in-time join."""
