"""What Lambda calls: `handler.handler`. Importing it loads the version; every event afterwards finds it ready."""

from pathlib import Path

from pipeline.standalone.function import opened

handler = opened(Path(__file__).parent)
