"""Labels at the door of predictions, for clients that reach nothing else: kept on the disk before they are answered.

They go the way of the prediction log, into segments that the daemon has read into the lake: the record is not touched.
All of this happens in a thread of its own, one post after another, so predictions do not wait for it.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import orjson

from pipeline.labels.box import LabelBox
from pipeline.labels.record import Label, read_label
from pipeline.serving.refusal import TOO_BIG, Refusal, busy, malformed
from store.errors import StorageError

MOST: Final = 1000
"""Labels of one post: so many are read in a few milliseconds."""
MOST_BYTES: Final = 1_000_000
_WAITING: Final = 8
"""Posts that may wait for the disk; beyond them their senders are told to come again."""


class Labelling:
    """One worker's; belongs to the thread of its event loop."""

    def __init__(self, box: LabelBox | None) -> None:
        """None: labels are not taken here."""
        self._box = box
        self._thread = ThreadPoolExecutor(1, "labels")
        self._waiting = 0
        self._kept: Counter[str] = Counter()

    async def keep(self, model: str, body: bytes) -> int:
        """How many were kept: all of the post. Raises Refusal, and then none was."""
        if self._box is None:
            raise Refusal(
                403, "labels are not taken here: `labels` in [serving.log] is off, or it is an exported server"
            )
        if len(body) > MOST_BYTES:
            raise Refusal(TOO_BIG, f"a post of labels has at most {MOST_BYTES} bytes; send fewer at once")
        if self._waiting >= _WAITING:
            raise busy("too many labels are being written at this moment")
        self._waiting += 1
        try:
            kept = await asyncio.get_running_loop().run_in_executor(self._thread, _keep, self._box, model, body)
        finally:
            self._waiting -= 1
        self._kept[model] += kept
        return kept

    def facts(self) -> dict[str, Any]:
        """For the metrics: model → how many were kept."""
        return {"labels": [[model, count] for model, count in self._kept.items()]}

    def close(self) -> None:
        """Waits for what is being written."""
        self._thread.shutdown()
        if self._box is not None:
            self._box.close()


def _keep(box: LabelBox, model: str, body: bytes) -> int:
    labels = read(body, time.time_ns() // 1000)
    try:
        box.put(model, labels)
    except StorageError as error:
        raise busy(error.what) from None
    return len(labels)


def read(body: bytes, now_us: int) -> list[Label]:
    """A label, an array of labels, or `{"labels": [label, …]}`. Raises Refusal."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise malformed(f"the body is not JSON: {error}") from None
    given = document.get("labels", [document]) if isinstance(document, dict) else document
    if not (isinstance(given, list) and given):
        raise malformed('send a label, `{"request": "order-17", "value": true}`, or an array of labels')
    if len(given) > MOST:
        raise Refusal(TOO_BIG, f"a post has at most {MOST} labels")
    found = []
    for place, one in enumerate(given):
        try:
            found.append(read_label(one, arrived_us=now_us))
        except ValueError as error:
            raise malformed(f"labels[{place}]: {error}") from None
    return found
