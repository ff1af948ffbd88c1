from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from daemon.service import (
    DaemonLock,
    Owner,
    bind_socket,
    bind_tcp,
    owner_of,
    peer_of,
    prepare_home,
    tell_service_manager,
)
from store.errors import DaemonRunning, StorageError
from store.home import Home
from store.sockets import short_path


def owner(pid: int = 7) -> Owner:
    return Owner(pid=pid, since="2026-03-01T02:00:00+00:00", project="shop", version="0.1.0")


def made(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    prepare_home(home)
    return home


def test_a_new_home_is_for_its_owner_only(tmp_path: Path) -> None:
    assert stat.S_IMODE(made(tmp_path).root.stat().st_mode) == 0o700


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_home_that_cannot_be_written_is_refused_with_the_way_out(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(StorageError, match="cannot be written") as refused:
        made(tmp_path)
    assert "TRAINSHED_HOME" in refused.value.remedy


def test_a_file_where_the_home_should_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("")
    with pytest.raises(StorageError, match="cannot be written"):
        made(tmp_path)


def test_a_second_daemon_is_refused_and_told_who_is_there(tmp_path: Path) -> None:
    home = made(tmp_path)
    lock = DaemonLock.take(home, owner(4711))
    with pytest.raises(DaemonRunning, match=r"pid 4711, since 2026-03-01T02:00:00\+00:00, project shop"):
        DaemonLock.take(home, owner())
    lock.release()
    DaemonLock.take(home, owner()).release()


def test_a_lock_goes_with_its_process_however_that_ends(tmp_path: Path) -> None:
    home = made(tmp_path)
    program = (
        "import os, signal, sys; from pathlib import Path; from store.home import Home\n"
        "from daemon.service import DaemonLock, Owner\n"
        "DaemonLock.take(Home(Path(sys.argv[1])), Owner(pid=os.getpid(), since='x', project='p', version='v'))\n"
        "print('held', flush=True); signal.pause()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-P", "-c", program, str(home.root)], stdout=subprocess.PIPE, cwd=Path.cwd()
    )
    with holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        held = owner_of(home)
        assert held is not None
        assert held.pid == holder.pid
        holder.kill()
        holder.wait()
    assert owner_of(home) is None
    DaemonLock.take(home, owner()).release()


def test_nobody_owns_a_home_that_was_never_used(tmp_path: Path) -> None:
    assert owner_of(Home(tmp_path)) is None


def test_the_socket_is_for_its_owner_only_and_replaces_a_stale_one(tmp_path: Path) -> None:
    path = tmp_path / "s.sock"
    bind_socket(path).close()
    with bind_socket(path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_socket_deeper_than_a_socket_address_can_say_is_reached_all_the_same(tmp_path: Path) -> None:
    folder = tmp_path / ("deep" * 20) / ("deeper" * 20)
    folder.mkdir(parents=True)
    path = folder / "trainshed.sock"
    assert len(os.fsencode(path)) > 107
    with bind_socket(path) as listener, socket.socket(socket.AF_UNIX) as caller:
        with short_path(path) as address:
            caller.connect(address)
        connection, _ = listener.accept()
        with connection:
            assert path.is_socket()


def test_the_kernel_says_who_calls(tmp_path: Path) -> None:
    with bind_socket(tmp_path / "s.sock") as listener, socket.socket(socket.AF_UNIX) as caller:
        caller.connect(str(tmp_path / "s.sock"))
        connection, _ = listener.accept()
        with connection:
            peer = peer_of(connection)
    assert peer is not None
    assert (peer.pid, peer.uid) == (os.getpid(), os.getuid())


def test_over_tcp_nobody_can_be_named(tmp_path: Path) -> None:
    with bind_tcp("127.0.0.1:0") as listener, socket.create_connection(listener.getsockname()):
        connection, _ = listener.accept()
        with connection:
            assert peer_of(connection) is None


@pytest.mark.parametrize("address", ["nonsense", "127.0.0.1:port", "127.0.0.1:99999"])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(StorageError, match="cannot listen there"):
        bind_tcp(address)


def test_a_taken_port_is_refused() -> None:
    with bind_tcp("127.0.0.1:0") as listener, pytest.raises(StorageError, match="in use"):
        bind_tcp("{}:{}".format(*listener.getsockname()))


def test_the_service_manager_hears_that_we_are_ready(tmp_path: Path) -> None:
    address = str(tmp_path / "notify")
    heard: list[bytes] = []
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(address)
        listening = threading.Thread(target=lambda: heard.append(manager.recv(100)))
        listening.start()
        tell_service_manager("READY=1", address)
        listening.join(5)
    assert heard == [b"READY=1"]
    tell_service_manager("READY=1", None)
