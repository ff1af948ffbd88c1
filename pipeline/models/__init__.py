"""The built-in networks and the baseline they have to beat."""
