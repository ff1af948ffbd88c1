"""Keys and TLS at the real doors, over HTTP and gRPC: who is let in, who hears what, and that it changes at once."""

from __future__ import annotations

import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
import tritonclient.grpc as triton
import tritonclient.http as triton_http
from tritonclient.utils import InferenceServerException

from pipeline.serving.access import asking, unguarded
from pipeline.serving.gate import Gate
from pipeline.serving.loaded import LoadedVersion
from pipeline.serving.refusal import Refusal
from pipeline.serving.tls import Certificate, context_of, valid_until
from store.errors import ProjectError
from store.home import ServingDir
from store.keyring import DoorKey, Keyring, hash_of, id_of, new_key, publish_keyring, read_keyring
from store.routing import Arm, Route, Snapshot
from tests.unit.serving.door import Door, opened
from tests.unit.serving.test_grpc import inputs

ROW = {"distance": 500.0, "carrier": "AA", "hour": 12}
PATHS = ["/v1/predict/late", "/v2/models/late", "/v2/models/late/ready", "/metrics", "/openapi.json", "/v2", "/nothing"]


class Keys:
    """The file of the keys, as the daemon writes it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.entries: dict[str, DoorKey] = {}

    def add(self, name: str, models: tuple[str, ...] = (), rate: float | None = None) -> str:
        key = new_key(Random(len(self.entries) + 1))
        entry = DoorKey(
            number=len(self.entries) + 1, name=name, id=id_of(key), hash=hash_of(key), models=models, rate=rate
        )
        self.entries[entry.id] = entry
        self.publish()
        return key

    def revoke(self, key: str) -> None:
        del self.entries[id_of(key)]
        self.publish()

    def publish(self) -> None:
        publish_keyring(ServingDir(self.folder).keys, Keyring(required=True, keys=self.entries))


class Random:
    """Bytes that differ from call to call."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def __call__(self, count: int) -> bytes:
        return bytes((self.seed * 7 + place) % 256 for place in range(count))


def bearer(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[Path, Path]]:
    """name → (certificate, key), both PEM."""
    folder = tmp_path_factory.mktemp("tls")

    def made(name: str) -> tuple[Path, Path]:
        cert, key = folder / f"{name}.pem", folder / f"{name}.key"
        if not cert.exists():
            subject = ["-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"]
            elliptic = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
            files = ["-keyout", str(key), "-out", str(cert)]
            subprocess.run(["openssl", "req", "-x509", *elliptic, *subject, *files], check=True, capture_output=True)
        return cert, key

    return made


@pytest.fixture(scope="module")
def served(loaded: LoadedVersion) -> tuple[dict[Any, LoadedVersion], Snapshot]:
    arm = Arm(version=3, digest=loaded.digest)
    return {("late", 3): loaded}, Snapshot(epoch=7, routes={"late": Route(arms=(arm,))})


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    made = Keys(tmp_path_factory.mktemp("keys"))
    made.publish()
    return made


@pytest.fixture(scope="module")
def door(served: Any, keys: Keys) -> Iterator[Door]:
    with opened(*served, folder=keys.folder) as door:
        yield door


def refreshed(door: Door) -> None:
    door.within(door.gate.refresh)


# ------------------------------------------------------------------------------------------------------- HTTP


def test_without_a_key_nothing_answers_but_health(door: Door) -> None:
    with door.client() as client:
        for path in PATHS:
            answer = client.get(path)
            assert answer.status_code == 401, path
            assert answer.json()["error"].startswith("this endpoint asks for an API key")
            assert answer.headers["www-authenticate"] == "Bearer"
        assert client.post("/v1/predict/late", json=ROW).status_code == 401
        assert client.get("/v2/health/live").status_code == 200
        assert client.get("/v2/health/ready").json() == {"ready": True}
    assert sum(n for (_, _, _, status), n in door.metrics.requests.items() if status == 401) >= len(PATHS)


@pytest.mark.parametrize(
    "shown", ["Bearer ts_00_x", "Bearer", "Basic YTpi", "Bearer é", "ts_1_2", "Bearer " + "x" * 5000]
)
def test_what_is_no_key_opens_nothing(door: Door, shown: str) -> None:
    with door.client() as client:
        answer = client.get("/v2", headers=[(b"authorization", shown.encode())])
        assert answer.status_code == 401
        assert "Bearer" in answer.json()["error"] or "not known here" in answer.json()["error"]


def test_a_key_opens_from_the_moment_it_is_made_until_it_is_revoked(door: Door, keys: Keys) -> None:
    key = keys.add("shop")
    refreshed(door)
    with door.client() as client:
        assert client.post("/v1/predict/late", json=ROW, headers=bearer(key)).status_code == 200
        assert client.get("/metrics", headers={"AUTHORIZATION": f"bearer {key}"}).status_code == 200
        assert client.get("/v2", headers=bearer(key[:-1])).status_code == 401
        keys.revoke(key)
        refreshed(door)
        assert client.post("/v1/predict/late", json=ROW, headers=bearer(key)).status_code == 401


def test_a_key_of_one_model_opens_no_other_and_not_the_servers_numbers(door: Door, keys: Keys) -> None:
    key = keys.add("other", models=("rain",))
    own = keys.add("own", models=("late", "rain"))
    refreshed(door)
    with door.client() as client:
        refused = client.post("/v1/predict/late", json=ROW, headers=bearer(key))
        assert (refused.status_code, refused.json()["error"]) == (403, "the key other may ask rain only")
        assert client.get("/metrics", headers=bearer(own)).status_code == 403
        assert client.get("/v2/models/late", headers=bearer(own)).status_code == 200
        assert client.post("/v1/predict/late", json=ROW, headers=bearer(own)).status_code == 200


@pytest.mark.slow
def test_who_asks_too_often_hears_when_to_come_again_and_others_are_not_touched(door: Door, keys: Keys) -> None:
    slow, fast = keys.add("slow", rate=2), keys.add("fast")
    refreshed(door)
    with door.client() as client:
        answers = [client.post("/v1/predict/late", json=ROW, headers=bearer(slow)) for _ in range(6)]
        assert [answer.status_code for answer in answers[:2]] == [200, 200]
        refused = [answer for answer in answers if answer.status_code == 429]
        assert refused
        assert refused[0].headers["retry-after"] == "1"
        assert refused[0].json()["error"] == "the key slow may ask 2 times a second, and has"
        assert client.post("/v1/predict/late", json=ROW, headers=bearer(fast)).status_code == 200
        time.sleep(1.0)
        assert client.post("/v1/predict/late", json=ROW, headers=bearer(slow)).status_code == 200


def test_tritons_client_gets_in_with_a_header(door: Door, keys: Keys) -> None:
    key = keys.add("triton")
    refreshed(door)
    client = triton_http.InferenceServerClient(f"{door.host}:{door.port}")
    assert client.is_server_live()
    with pytest.raises(InferenceServerException, match="asks for an API key"):
        client.get_model_metadata("late")
    assert client.get_model_metadata("late", headers=bearer(key))["name"] == "late"
    client.close()


# ------------------------------------------------------------------------------------------------------- gRPC


def test_over_grpc_the_same_keys_open_the_same_doors(door: Door, keys: Keys) -> None:
    key, other, slow = keys.add("g"), keys.add("h", models=("rain",)), keys.add("i", rate=1)
    refreshed(door)
    client = triton.InferenceServerClient(f"{door.host}:{door.grpc_port}")
    assert client.is_server_live()
    assert client.is_server_ready()
    assert status(lambda: client.get_server_metadata()) == "StatusCode.UNAUTHENTICATED"
    assert status(lambda: client.infer("late", inputs(2))) == "StatusCode.UNAUTHENTICATED"
    assert status(lambda: client.infer("late", inputs(2), headers=bearer(other))) == "StatusCode.PERMISSION_DENIED"
    assert client.infer("late", inputs(2), headers=bearer(key)).as_numpy("score").shape == (2,)
    client.infer("late", inputs(2), headers=bearer(slow))
    assert status(lambda: client.infer("late", inputs(2), headers=bearer(slow))) == "StatusCode.RESOURCE_EXHAUSTED"
    client.close()


def status(call: Callable[[], Any]) -> str:
    with pytest.raises(InferenceServerException) as refused:
        call()
    return str(refused.value.status())


# -------------------------------------------------------------------------------------------------------- TLS


def test_both_doors_speak_tls_and_show_a_renewed_certificate_without_a_restart(
    served: Any, tmp_path: Path, certificates: Any
) -> None:
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    for name, into in zip(certificates("first"), (cert, key), strict=True):
        into.write_bytes(name.read_bytes())
    certificate = Certificate(cert, key)
    with opened(*served, certificate=certificate) as door:
        assert asked_over_tls(door, cert) == 200
        assert called_over_tls(door, cert.read_bytes())
        with pytest.raises((httpx.ConnectError, httpx.ReadError, httpx.RemoteProtocolError)):
            httpx.get(f"http://127.0.0.1:{door.port}/v2/health/live", trust_env=False, verify=False)

        second = certificates("second")
        cert.write_bytes(second[0].read_bytes())  # the key is still the first one's
        door.within(certificate.refresh)
        assert asked_over_tls(door, certificates("first")[0]) == 200
        key.write_bytes(second[1].read_bytes())
        door.within(certificate.refresh)
        assert asked_over_tls(door, cert) == 200
        assert called_over_tls(door, cert.read_bytes())
        with pytest.raises(httpx.ConnectError):
            asked_over_tls(door, certificates("first")[0])


def test_a_client_that_never_shakes_hands_is_closed_after_the_patience(served: Any, certificates: Any) -> None:
    """Until then it counts among no connections: only time bounds how many of them there are."""
    certificate = Certificate(*certificates("first"))
    with opened(*served, certificate=certificate, patience_s=0.5) as door, door.connect() as silent:
        began = time.monotonic()
        assert silent.recv(100) == b""
        assert time.monotonic() - began < 10


def asked_over_tls(door: Door, trusted: Path) -> int:
    context = ssl.create_default_context(cafile=str(trusted))
    with httpx.Client(trust_env=False, verify=context, timeout=20) as client:
        return client.post(f"https://127.0.0.1:{door.port}/v1/predict/late", json=ROW).status_code


def called_over_tls(door: Door, trusted: bytes) -> bool:
    client = triton.InferenceServerClient(
        f"localhost:{door.grpc_port}",
        ssl=True,
        creds=grpc.ssl_channel_credentials(trusted),
        channel_args=[("grpc.use_local_subchannel_pool", 1)],
    )
    try:
        return bool(client.is_server_live())
    finally:
        client.close()


def test_a_certificate_that_cannot_be_used_is_refused_with_what_to_do(tmp_path: Path, certificates: Any) -> None:
    (cert, key), (_, stranger) = certificates("first"), certificates("second")
    locked, empty = tmp_path / "locked.key", tmp_path / "empty.pem"
    subprocess.run(["openssl", "pkey", "-in", key, "-aes256", "-passout", "pass:x", "-out", locked], check=True)
    empty.write_text("nothing")
    expected = [
        (tmp_path / "no.pem", key, "serving.tls.cert", "it cannot be read: No such file or directory"),
        (cert, tmp_path / "no.key", "serving.tls.key", "it cannot be read"),
        (cert, stranger, "serving.tls.key", "the key does not belong to the certificate"),
        (cert, locked, "serving.tls.key", "the key is encrypted"),
        (cert, empty, "serving.tls.key", "no private key"),
        (empty, key, "serving.tls.cert", "no certificate can be read"),
    ]
    for one, other, where, what in expected:
        with pytest.raises(ProjectError, match=what) as refused:
            context_of(one, other)
        assert refused.value.where.startswith(where)


@pytest.mark.parametrize(
    "kind", [["-newkey", "rsa:2048"], ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]]
)
@pytest.mark.parametrize("days", [1, 90, -1])
def test_it_is_known_until_when_a_certificate_is_valid_also_when_that_is_over(
    tmp_path: Path, kind: list[str], days: int
) -> None:
    cert, key, asked = tmp_path / "c.pem", tmp_path / "c.key", tmp_path / "c.csr"
    subject = ["-nodes", "-subj", "/CN=box.example", "-keyout", str(key), "-out", str(asked)]
    subprocess.run(["openssl", "req", *kind, *subject], check=True, capture_output=True)
    signed = ["-in", str(asked), "-signkey", str(key), "-out", str(cert), "-days", str(days)]
    subprocess.run(["openssl", "x509", "-req", *signed], check=True, capture_output=True)
    assert valid_until(cert, key).timestamp() == pytest.approx(time.time() + days * 86_400, abs=60)


# ------------------------------------------------------------------------------------------------- the decision


def test_a_key_is_asked_for_wherever_others_reach_and_after_the_first_key_everywhere() -> None:
    assert not asking("auto", "127.0.0.1", ever_given=False).required
    assert not asking("auto", "::1", ever_given=False).required
    assert not asking("auto", "localhost", ever_given=False).required
    assert asking("auto", "127.0.0.1", ever_given=True).required
    assert asking("auto", "0.0.0.0", ever_given=False).required
    assert asking("auto", "10.1.2.3", ever_given=False).required
    assert asking("auto", "box.example", ever_given=False).required
    assert asking("keys", "127.0.0.1", ever_given=False).required
    assert not asking("open", "0.0.0.0", ever_given=True).required


def test_doors_that_others_reach_are_not_opened_without_a_key_unless_the_project_says_so() -> None:
    assert unguarded("auto", "0.0.0.0", keys=0) is not None
    assert unguarded("keys", "0.0.0.0", keys=0) is not None
    assert unguarded("auto", "0.0.0.0", keys=1) is None
    assert unguarded("open", "0.0.0.0", keys=0) is None
    assert unguarded("auto", "127.0.0.1", keys=0) is None


def test_the_file_of_the_keys_has_no_key_in_it_and_is_its_users_only(tmp_path: Path) -> None:
    keys = Keys(tmp_path)
    key = keys.add("shop", models=("late",), rate=5)
    file = ServingDir(tmp_path).keys
    assert key.split("_", 2)[2] not in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600
    ring = read_keyring(file)
    assert ring is not None
    found = ring.find(key)
    assert found is not None
    assert (found.name, found.models, found.rate) == ("shop", ("late",), 5)


def test_a_damaged_file_of_keys_lets_nobody_in_who_was_not_let_in_before(tmp_path: Path) -> None:
    keys = Keys(tmp_path)
    key = keys.add("shop")
    gate = Gate(ServingDir(tmp_path), "127.0.0.1")
    ServingDir(tmp_path).keys.write_text("{")
    gate.refresh()
    gate.admit(f"Bearer {key}", "late")
    afresh = Gate(ServingDir(tmp_path), "127.0.0.1")
    with pytest.raises(Refusal, match="not known here"):
        afresh.admit(f"Bearer {key}", "late")
    gate.close()
    afresh.close()
