"""The listening socket: found again by whoever comes after its supervisor, and named as clients write it."""

from __future__ import annotations

import resource
from contextlib import closing
from dataclasses import replace

import pytest

from pipeline.serving.listening import address, is_at, listening_socket
from pipeline.serving.openfiles import MOST, make_room
from pipeline.serving.settings import ServingSettings


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0.0.0.0", "::1", "::"])
def test_the_socket_that_a_worker_brings_is_known_by_however_its_host_was_written(host: str) -> None:
    """Of `localhost` it was not, and no supervisor could come after one that had died: the port was taken."""
    with closing(listening_socket(host, 0)) as listener:
        meant = ServingSettings(host=host, port=listener.getsockname()[1])
        assert is_at(listener, meant)
        assert is_at(listener, replace(meant, port=0))
        assert not is_at(listener, replace(meant, port=1))
        assert not is_at(listener, replace(meant, host="127.0.0.2"))
        assert not is_at(listener, replace(meant, host="no.such.host.invalid"))


def test_an_address_is_written_as_urls_have_it() -> None:
    assert address("127.0.0.1", 8080) == "127.0.0.1:8080"
    assert address("box.example", 8080) == "box.example:8080"
    assert address("::1", 8080) == "[::1]:8080"


def test_a_process_may_open_as_many_files_as_its_user_may_let_it() -> None:
    """Shells give a thousand, and `connections` of [serving] is two thousand by default."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, before[1]))
    try:
        make_room()
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (min(before[1], MOST), before[1])
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
