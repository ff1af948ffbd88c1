"""API keys over the API: told once, kept as a hash, published at once, revoked for good."""

from __future__ import annotations

from pathlib import Path

import pytest

from daemon.core import Daemon
from daemon.doors import Doors
from pipeline.check.findings import Findings
from pipeline.check.serving import check_serving
from pipeline.config.load import load_project
from store.errors import ProjectError
from store.keyring import read_keyring
from store.wire import KeyRequest
from tests.unit.api.conftest import PROJECT
from tui.client import Client
from tui.draw.keys import keys as drawn
from tui.failure import ClientError


def test_a_key_is_told_once_and_stands_nowhere_else(client: Client, daemon: Daemon) -> None:
    made = client.add_key(KeyRequest(name="shop", models=["late"], rate=5))
    secret = made.key.split("_", 2)[2]  # which may have a _ of its own
    home = daemon.home
    for file in (path for path in home.root.rglob("*") if path.is_file()):
        assert secret.encode() not in file.read_bytes(), file
    assert secret not in client.keys().model_dump_json()
    assert secret not in client.events().model_dump_json()
    ring = read_keyring(home.serving.keys)
    assert ring is not None
    found = ring.find(made.key)
    assert ring.required
    assert found is not None
    assert (found.name, found.models, found.rate) == ("shop", ("late",), 5)


def test_a_name_is_one_keys_until_it_is_revoked_and_a_revoked_last_key_opens_no_door(
    client: Client, daemon: Daemon
) -> None:
    assert not client.keys().required
    first = client.add_key(KeyRequest(name="shop"))
    with pytest.raises(ClientError, match="there is a key 'shop' already"):
        client.add_key(KeyRequest(name="shop"))
    client.revoke_key("shop")
    with pytest.raises(ClientError, match="there is no key 'shop' in use"):
        client.revoke_key("shop")
    view = client.keys()
    assert (view.required, [(key.name, key.revoked_at is None) for key in view.keys]) == (True, [("shop", False)])
    ring = read_keyring(daemon.home.serving.keys)
    assert ring is not None
    assert (ring.required, ring.keys) == (True, {})
    second = client.add_key(KeyRequest(name="shop"))
    assert second.key != first.key
    assert [event.kind for event in client.events().items][:3] == ["key.added", "key.revoked", "key.added"]
    assert drawn(client.keys(), view.keys[0].created_at)


def test_a_key_that_cannot_be_taken_from_the_endpoints_is_told_to_open_still(client: Client, daemon: Daemon) -> None:
    """On a full disk it was "a fault in Trainshed", and nobody tried again."""
    made = client.add_key(KeyRequest(name="shop"))
    aside = daemon.home.serving.keys.with_name("keys.json.new")
    aside.mkdir()  # whatever hinders the write

    def opens() -> bool:
        ring = read_keyring(daemon.home.serving.keys)
        return ring is not None and ring.find(made.key) is not None

    with pytest.raises(ClientError, match="key shop is revoked in the record, and opens the endpoints still"):
        client.revoke_key("shop")
    with pytest.raises(ClientError, match="key late is in the record, and nobody has heard it"):
        client.add_key(KeyRequest(name="late"))
    assert opens()
    aside.rmdir()
    daemon.doors.publish()
    assert not opens()


def test_an_address_that_others_reach_needs_a_key_or_the_projects_word(daemon: Daemon, tmp_path: Path) -> None:
    wide = tmp_path / "wide"
    wide.mkdir()

    def doors(serving: str) -> tuple[Doors, Findings]:
        (wide / "trainshed.toml").write_text(PROJECT + serving)
        project, found = load_project(wide), Findings()
        check_serving(project, daemon.home, found)
        return Doors(daemon.record, lambda: project, daemon.endpoints.process), found

    unguarded, found = doors('[serving]\nhost = "0.0.0.0"\n')
    with pytest.raises(ProjectError, match=r"would listen at 0\.0\.0\.0, and there is no API key") as refused:
        unguarded.require_guarded()
    assert "trainshed keys add NAME" in refused.value.remedy
    assert [(fault.where, fault.what) for fault in found.faults] == [("serving.host", refused.value.what)]

    said, found = doors('[serving]\nhost = "0.0.0.0"\naccess = "open"\n')
    said.require_guarded()
    assert (found.faults, found.notes) == ([], [])

    guarded, _ = doors('[serving]\nhost = "0.0.0.0"\n')
    guarded.add(KeyRequest(name="shop"), "anna")
    guarded.require_guarded()
    _, found = doors('[serving]\nhost = "0.0.0.0"\n')
    assert found.faults == []
    assert "are not encrypted" in found.notes[0].what

    wrong, found = doors('[serving]\n[serving.tls]\ncert = "tls/cert.pem"\nkey = "tls/key.pem"\n')
    with pytest.raises(ProjectError, match="it cannot be read"):
        wrong.require_guarded()
    assert found.faults[0].where == f"serving.tls.cert: {wide}/tls/cert.pem"
