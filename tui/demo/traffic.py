"""Clients of the demo: they ask about flights as these leave, and say how each ended once it has landed.

Threads with connections of their own, by the door that any program would take. The replay has a clock: it shows the
departure of the flight that was asked about last, and a label is sent when this clock has passed the landing.
"""

from __future__ import annotations

import heapq
import threading
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Final, Self

import httpx

from tui.demo.flown import Flown
from tui.demo.heard import Heard
from tui.failure import Failure

RATE: Final = 300.0
GENTLE: Final = 100.0
"""Requests a second, if the machine is quick enough; the second while a version is being loaded beside them."""
_CLIENTS: Final = 4
_PATIENCE_S: Final = 30.0
_LABELS_EVERY_S: Final = 0.5
_LABELS: Final = 1000
"""Of one post, as the endpoint takes them."""


class Traffic:
    """Use it as a context manager; its methods may be called from any thread."""

    def __init__(self, url: str, model: str, flights: Sequence[Flown]) -> None:
        """`flights`: in the order of their departure. `url`: of the endpoint."""
        self._url, self._model, self._flights = url, model, flights
        self._rate, self._due = RATE, 0.0
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._ask_on, name=f"client {n}") for n in range(_CLIENTS)]
        self._teller = threading.Thread(target=self._tell_on, name="labels")
        self._next = 0
        self._heard: list[tuple[Flown, int, float, float]] = []
        """Flight, version, score, seconds."""
        self._in_the_air: list[tuple[float, int]] = []
        """A heap of (landing, place among `flights`)."""
        self._told: set[str] = set()
        self._failures: list[str] = []
        self._began = self._ended = time.monotonic()

    def __enter__(self) -> Self:
        self._began = time.monotonic()
        for thread in (*self._threads, self._teller):
            thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        self.stop()

    def stop(self) -> None:
        """Returns when the last answer is there, and everything that has landed by then has its label."""
        if self._over.is_set():
            return
        self._over.set()
        for thread in (*self._threads, self._teller):
            thread.join()
        self._ended = time.monotonic()

    def pace(self, rate: float) -> None:
        """From now on so many requests a second."""
        with self._lock:
            self._rate = rate

    @property
    def answered(self) -> int:
        with self._lock:
            return len(self._heard)

    @property
    def asked(self) -> int:
        """Requests that were answered or have failed."""
        with self._lock:
            return len(self._heard) + len(self._failures)

    @property
    def units(self) -> int:
        """Planes that were asked about and answered for."""
        with self._lock:
            return len({flight.unit for flight, _, _, _ in self._heard})

    @property
    def failures(self) -> list[str]:
        """What went wrong, a sentence for each request that got no prediction."""
        with self._lock:
            return list(self._failures)

    @property
    def seconds(self) -> float:
        """From the first request to the last, or to now."""
        return (self._ended if self._over.is_set() else time.monotonic()) - self._began

    def heard(self) -> list[Heard]:
        """All answers, in the order in which they came."""
        with self._lock:
            heard, told = list(self._heard), set(self._told)
        return [
            Heard(
                request=flight.id,
                version=version,
                score=score,
                seconds=took,
                late=flight.late,
                labelled=flight.id in told,
            )
            for flight, version, score, took in heard
        ]

    def lately(self, last: int = 200) -> dict[int, float]:
        """Version → its share of the newest answers."""
        with self._lock:
            versions = [version for _, version, _, _ in self._heard[-last:]]
        return {version: versions.count(version) / len(versions) for version in sorted(set(versions))}

    def await_more(self, requests: int, seconds: float) -> None:
        """Returns when so many more were asked. Raises Failure if that takes longer than `seconds`."""
        goal, last = self.asked + requests, time.monotonic() + seconds
        while self.asked < goal:
            if time.monotonic() > last:
                raise Failure(
                    f"only {self.asked:,} requests were made in {self.seconds:.0f} s",
                    where=self._url,
                    remedy="see `trainshed endpoints` and .trainshed/serving/serving.log",
                )
            time.sleep(0.05)

    # ----------------------------------------------------------------------------------------------- asking

    def _ask_on(self) -> None:
        with httpx.Client(base_url=self._url, trust_env=False, timeout=_PATIENCE_S) as client:
            while (place := self._place()) is not None:
                self._ask(client, place)

    def _place(self) -> int | None:
        """Whose turn it is, at its time; None when it is over, or nobody is left."""
        with self._lock:
            place, due = self._next, max(self._due, time.monotonic())
            self._next, self._due = place + 1, due + 1 / self._rate
        if place >= len(self._flights) or self._over.wait(max(0.0, due - time.monotonic())):
            return None
        return place

    def _ask(self, client: httpx.Client, place: int) -> None:
        flight, began = self._flights[place], time.perf_counter()
        body = {"rows": [flight.row], "id": flight.id, "unit": flight.unit}
        try:
            answer = client.post(f"/v1/predict/{self._model}", json=body).raise_for_status()
        except httpx.HTTPError as error:
            with self._lock:
                self._failures.append(f"{flight.id}: {error}")
            return
        took, said = time.perf_counter() - began, answer.json()
        score = said["predictions"][0]["probabilities"]["1"]
        with self._lock:
            self._heard.append((flight, said["version"], score, took))
            heapq.heappush(self._in_the_air, (flight.landed, place))

    # ----------------------------------------------------------------------------------------------- telling

    def _tell_on(self) -> None:
        with httpx.Client(base_url=self._url, trust_env=False, timeout=_PATIENCE_S) as client:
            while not self._over.wait(_LABELS_EVERY_S):
                self._tell(client)
            for thread in self._threads:
                thread.join()
            self._tell(client)

    def _tell(self, client: httpx.Client) -> None:
        """Labels of all that has landed. What is not taken now is sent again the next time."""
        while landed := self._landed():
            flights = [self._flights[place] for _, place in landed]
            labels = [{"request": flight.id, "value": flight.late} for flight in flights]
            try:
                client.post(f"/v1/labels/{self._model}", json=labels).raise_for_status()
            except httpx.HTTPError:
                with self._lock:
                    for one in landed:
                        heapq.heappush(self._in_the_air, one)
                return
            with self._lock:
                self._told.update(flight.id for flight in flights)

    def _landed(self) -> list[tuple[float, int]]:
        """Takes those out of the air that the replay's clock has passed, as many as fit into one post."""
        found: list[tuple[float, int]] = []
        with self._lock:
            clock = self._flights[min(self._next, len(self._flights)) - 1].leaves if self._next else 0.0
            while self._in_the_air and self._in_the_air[0][0] <= clock and len(found) < _LABELS:
                found.append(heapq.heappop(self._in_the_air))
        return found
