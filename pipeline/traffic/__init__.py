"""Which version answers a request: pure functions of the unit's id, decided anew for each request without any state."""
