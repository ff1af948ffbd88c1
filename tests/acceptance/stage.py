"""A project with trained versions on its shelf, a living daemon, and endpoints that answer on a free port."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx

from pipeline.serving.control import ask
from pipeline.serving.starting import computing_environment
from store import registry
from store.engine import Record
from store.errors import ServingError
from store.home import Home
from store.tables import Run
from store.times import system_clock
from tests.acceptance.living import Living, until
from tests.unit.registry.shelf import FAILING, PASSING, facts
from tests.unit.serving.bench import LARGEST, SIGNATURE, Bench

ROW = {"distance": 500.0, "carrier": "AA", "hour": 12}
SERVING = """
[serving]
enabled = true
port = 0
grpc_port = 0
max_batch = 16
press_ahead = false
"""


_PRESS = """
import sys
from pathlib import Path
from pipeline.serving.executables import settle_jax
from pipeline.serving.press import press
from store.home import Home
settle_jax()
for digest in sys.argv[3:]:
    press(Home(Path(sys.argv[1])), digest, int(sys.argv[2]))
"""


class Stage(Living):
    """`late` has versions 1, 2, 3 …, which differ in what they say about a row; none is in production."""

    def __init__(
        self,
        folder: Path,
        *,
        versions: int = 3,
        serving: str = SERVING,
        functions: str = "",
        pressed: bool = False,
    ) -> None:
        """`pressed`: the versions are so already, as `press_ahead` has it, for batches of up to `LARGEST`."""
        super().__init__(folder, functions, extra=serving)
        self.bench = Bench(Home(self.home.root))
        self.home.root.mkdir(mode=0o700, exist_ok=True)
        if pressed:
            self.digests = _copied(_shelf(folder.parent / "shelf"), self.home, versions)
        else:
            self.digests = _made(self.bench, versions)
        record = Record.open(self.home, system_clock)
        for digest in self.digests.values():
            self._shelve(record, digest)
        record.close()

    def _shelve(self, record: Record, digest: str, *, passed: bool = True) -> None:
        with record.transaction() as tx:
            run = Run(job="train:late", kind="train", target="late", trigger="manual", actor="anna")
            run.state, run.created_at = "succeeded", tx.now
            tx.session.add(run)
            tx.session.flush()
            said = facts(
                digest=digest,
                path=f"versions/{digest}",
                signature=SIGNATURE.model_dump(mode="json"),
                verdict=PASSING if passed else FAILING,
            )
            registry.add_version(tx, said, run.id or 0)

    # ------------------------------------------------------------------------------------------------ moving

    def promote(self, version: int) -> dict[str, Any]:
        moved: dict[str, Any] = self._long(
            "/v1/models/late/promote", {"version": version, "override": True, "reason": "t"}
        )
        return moved

    def rollback(self) -> dict[str, Any]:
        moved: dict[str, Any] = self._long("/v1/models/late/rollback", {})
        return moved

    def try_promote(self, version: int) -> httpx.Response:
        with self._client() as client:
            return client.post("/v1/models/late/promote", json={"version": version, "override": True, "reason": "t"})

    def _long(self, path: str, body: Any) -> Any:
        with self._client() as client:
            answer = client.post(path, json=body)
        assert answer.is_success, answer.text
        return answer.json()

    def _client(self) -> httpx.Client:
        transport = httpx.HTTPTransport(uds=str(self.home.socket), verify=False)
        return httpx.Client(transport=transport, base_url="http://shed", timeout=200)

    # ------------------------------------------------------------------------------------------------ serving

    def endpoints(self) -> dict[str, Any]:
        found: dict[str, Any] = self.get("/v1/endpoints")
        return found

    def status(self) -> dict[str, Any]:  # type: ignore[override]
        """Of the supervisor, asked without the daemon."""
        return ask(self.home.serving.control, "status", 20)

    def until_warm(self, seconds: float = 180.0) -> str:
        """Until one worker accepts and the spare is ready; the address."""

        def warm() -> bool:
            try:
                states = sorted(worker["state"] for worker in self.status()["workers"])
            except ServingError:
                return False
            return states == ["accepting", "ready"]

        until(warm, seconds)
        return self.url()

    def url(self) -> str:
        status = self.status()
        return f"http://{status['host']}:{status['port']}"

    def pids(self, state: str | None = None) -> list[int]:
        return [int(worker["pid"]) for worker in self.status()["workers"] if state in (None, worker["state"])]

    def close(self) -> None:
        super().close()
        try:
            pids = [self.status()["pid"], *self.pids()]
        except ServingError:
            pids = []
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue


def _made(bench: Bench, versions: int) -> dict[int, str]:
    """Number → digest."""
    return {number: bench.version(shift=number / 4) for number in range(1, versions + 1)}


def _shelf(root: Path) -> Home:
    """A home with three pressed versions: made once for all stages of a test process, and by one press."""
    home = Home(root)
    if not home.versions.exists():
        digests = _made(Bench(home), 3)
        command = [sys.executable, "-P", "-c", _PRESS, str(root), str(LARGEST), *digests.values()]
        subprocess.run(command, env=computing_environment(os.environ), check=True)
        (root / "digests").write_text(" ".join(digests.values()))
    return home


def _copied(shelf: Home, home: Home, versions: int) -> dict[int, str]:
    """The first `versions` of the shelf with their programs; number → digest."""
    digests = (shelf.root / "digests").read_text().split()[:versions]
    shutil.copytree(shelf.serving.executables_root, home.serving.executables_root)
    for digest in digests:
        shutil.copytree(shelf.bundle(digest), home.bundle(digest))
        shutil.copytree(shelf.serving.pressed(digest), home.serving.pressed(digest))
    return dict(enumerate(digests, start=1))


def scores(url: str, row: Any = None) -> tuple[int, float]:
    """Version and probability that one client hears."""
    with httpx.Client(base_url=url, trust_env=False, timeout=20, verify=False) as client:
        answer = client.post("/v1/predict/late", json=row or ROW)
    assert answer.is_success, answer.text
    said = answer.json()
    return said["version"], said["predictions"][0]["probabilities"]["true"]
