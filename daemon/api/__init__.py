"""The control API: thin routers over the store, served on the unix socket."""
