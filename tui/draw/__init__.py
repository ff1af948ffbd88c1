"""Views as text: wire models in, rich renderables out. Pure; the time now is an argument."""
