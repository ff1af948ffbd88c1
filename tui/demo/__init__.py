"""`trainshed demo`: the whole main job on real data, driven through the daemon's API as anybody would drive it."""

from tui.demo.run import run_demo

__all__ = ["run_demo"]
