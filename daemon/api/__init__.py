"""The control API: thin routers over `daemon.core.Daemon` and the store's functions."""
