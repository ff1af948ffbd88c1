"""The sql source on PostgreSQL: a private server in a temporary folder, where PostgreSQL is installed."""

from __future__ import annotations

import glob
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.sources import Cursor
from pipeline.sources.postgres import without_secrets
from store.errors import ProjectError, SourceDenied, SourceMalformed, SourceUnreachable

if TYPE_CHECKING:
    from tests.unit.sources.conftest import Desk

PASSWORD = "s3cret/with@signs"
MOMENT = datetime(2013, 1, 1, tzinfo=UTC)
SETUP = """
CREATE TABLE orders (id bigint, price double precision, name text, at timestamptz, local timestamp, day date);
INSERT INTO orders SELECT n, n / 2.0, 'n' || n, timestamptz '2013-01-01 00:00+00' + n * interval '1 hour',
    timestamp '2013-01-01 00:00' + n * interval '1 hour', date '2013-01-01' FROM generate_series(0, 9) AS n;
"""


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """host:port of a server with the user `reader` and a password."""
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"))
    if not found:
        pytest.skip("PostgreSQL is not installed (no /usr/lib/postgresql/*/bin/initdb)")
    pytest.importorskip("adbc_driver_postgresql")
    binaries = Path(found[-1]).parent
    # PostgreSQL refuses to run as root.
    user = "nobody" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    folder = Path(tempfile.mkdtemp(prefix="trainshed-pg-"))
    (folder / "password").write_text(PASSWORD)
    for path in (folder, folder / "password"):
        shutil.chown(path, user)
    port = free_port()

    def run(*command: str) -> None:
        subprocess.run(command, check=True, user=user, cwd=folder, capture_output=True, env={"LC_ALL": "C.UTF-8"})

    data, pg_ctl = str(folder / "data"), str(binaries / "pg_ctl")
    run(str(binaries / "initdb"), "-D", data, "-U", "reader", "-A", "scram-sha-256", "--pwfile", "password", "-N")
    options = f"-p {port} -h 127.0.0.1 -k {folder} -F"
    run(pg_ctl, "-D", data, "-l", str(folder / "log"), "-w", "-o", options, "start")
    try:
        environment = {"PGPASSWORD": PASSWORD}
        psql = [str(binaries / "psql"), "-h", "127.0.0.1", "-p", str(port), "-U", "reader", "-d", "postgres"]
        subprocess.run([*psql, "-v", "ON_ERROR_STOP=1", "-c", SETUP], check=True, env=environment, capture_output=True)
        yield f"127.0.0.1:{port}"
    finally:
        run(pg_ctl, "-D", data, "-m", "immediate", "stop")
        shutil.rmtree(folder)


def section(server: str, query: str = "SELECT * FROM orders ORDER BY id", **more: Any) -> dict[str, Any]:
    uri = f"postgresql://reader@{server}/postgres"
    return {"kind": "sql", "uri": uri, "password": PASSWORD, "query": query, **more}


@pytest.mark.slow
def test_columns_arrive_typed_and_in_utc(desk: Desk, server: str) -> None:
    rows = desk.read(**section(server, timezone="America/New_York", batch_rows=3))
    assert len(rows) == 10
    assert rows[1] == {
        "id": 1,
        "price": 0.5,
        "name": "n1",
        "at": MOMENT.replace(hour=1),
        "local": MOMENT.replace(hour=6),
        "day": MOMENT.date(),
    }


def test_what_is_the_databases_own_arrives_as_text(desk: Desk, server: str) -> None:
    own = (
        "SELECT 9.50::numeric AS price, '00000000-0000-0000-0000-000000000005'::uuid AS id, '{\"a\": 1}'::jsonb AS more"
    )
    assert desk.read(**section(server, own)) == [
        {"price": "9.50", "id": "00000000-0000-0000-0000-000000000005", "more": '{"a": 1}'}
    ]


def test_local_timestamps_need_a_zone(desk: Desk, server: str) -> None:
    with pytest.raises(SourceMalformed, match="'local' say no offset"):
        desk.read(**section(server))


@pytest.mark.parametrize(
    "cursor",
    [
        Cursor(value="2013-01-01T08:00:00+00:00", kind="time"),
        Cursor(value="2013-01-01 08:00:00+00", kind="text"),
    ],
)
@pytest.mark.parametrize("query", ["SELECT id, at FROM orders", "SELECT id, at FROM orders WHERE at >= :since"])
def test_later_runs_ask_only_from_the_cursor_on(desk: Desk, server: str, query: str, cursor: Cursor) -> None:
    rows = desk.read(**section(server, query, incremental={"column": "at"}), cursor=cursor)
    assert sorted(row["id"] for row in rows) == [8, 9]


def test_a_number_is_a_cursor_too(desk: Desk, server: str) -> None:
    asked = section(server, "SELECT id FROM orders", incremental={"column": "id"})
    assert len(desk.read(**asked, cursor=Cursor(value=7, kind="int"))) == 3


def test_a_wrong_password_is_denied_and_never_shown(desk: Desk, server: str) -> None:
    wrong = section(server) | {"password": "wr0ng/p@ss"}
    with pytest.raises(SourceDenied, match="password authentication failed") as caught:
        desk.read(**wrong)
    assert "password" in caught.value.remedy
    for told in (str(caught.value), repr(caught.value.__context__), repr(caught.value.__cause__)):
        assert "wr0ng" not in told


@pytest.mark.parametrize(
    "uri", ["postgresql://ann:s3cret%2Fword@db/shop", "postgresql://db/shop?user=ann&password=s3cret%2Fword"]
)
def test_no_form_of_a_password_is_left_in_what_the_driver_says(uri: str) -> None:
    said = without_secrets(f"could not open {uri}: s3cret/word (s3cret%2Fword) is wrong", uri)
    assert "s3cret" not in said
    assert said.endswith("is wrong")


def test_wrong_sql_is_a_fault_of_the_project(desk: Desk, server: str) -> None:
    with pytest.raises(ProjectError, match='column "nope" does not exist') as caught:
        desk.read(**section(server, "SELECT nope FROM orders"))
    assert caught.value.where == "sources.orders.query"


def test_nobody_at_the_port_is_unreachable(desk: Desk, server: str) -> None:
    with pytest.raises(SourceUnreachable, match="Connection refused"):
        desk.read(**section(f"127.0.0.1:{free_port()}"))
