"""One version that answers where Trainshed is not installed: what `trainshed export` takes along.

Whatever is imported here goes into every export, and what that needs has to be in assets/export: no Arrow, no Orbax.
"""
