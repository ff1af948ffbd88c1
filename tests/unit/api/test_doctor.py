from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from daemon import findings
from daemon.doctor import examine, holders, memory_limit, mount_of, of_secrets
from daemon.service import DaemonLock, Owner, bind_socket, prepare_home
from pipeline.config.load import load_project
from store.home import Home

NOW = datetime(2026, 3, 1, tzinfo=UTC)
MOUNTS = """\
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
30 22 0:44 / /mnt/share rw,relatime shared:9 - nfs4 server:/x rw
31 22 0:45 / /mnt/my\\040disk rw - xfs /dev/vdb rw
32 22 0:46 / /mnt/share rw,relatime - cifs //server/x rw
"""


def test_every_finding_that_is_not_well_says_what_to_do() -> None:
    found = [
        findings.python((3, 10, 1)),
        findings.names({"daemon": ["python-daemon", "trainshed"]}),
        findings.sqlite((3, 40, 1)),
        findings.sqlite((3, 31, 0)),
        findings.file_system("nfs4", "/mnt"),
        findings.file_system("tmpfs", "/tmp"),
        findings.free_space(10**9, 2 * 10**9),
        findings.clock(1000.0, 5000.0, True),
        findings.clock(1000.0, None, False),
        findings.certificate(NOW + timedelta(days=3), NOW),
        findings.certificate(NOW - timedelta(days=3), NOW),
        findings.home("Permission denied", None, "/x"),
        findings.home(None, 0o755, "/x"),
        findings.daemon("pid 7", answers=False, socket=True),
        findings.daemon(None, answers=False, socket=True),
        findings.writers([42]),
        findings.gpu(["H200"], True, None),
        findings.gpu([], True, None),
        findings.memory(10**9, 10**10),
        findings.open_files(256),
    ]
    for finding in found:
        assert finding.verdict != "ok", finding
        assert finding.remedy, finding


def test_a_sound_machine_is_told_to_be_one() -> None:
    found = [
        findings.python((3, 12, 0)),
        findings.names({"daemon": ["trainshed"]}),
        findings.sqlite((3, 51, 3)),
        findings.file_system("ext4", "/"),
        findings.free_space(3 * 10**9, 2 * 10**9),
        findings.clock(1000.0, 990.0, True),
        findings.certificate(NOW + timedelta(days=60), NOW),
        findings.home(None, 0o700, "/x"),
        findings.daemon("pid 7", answers=True, socket=True),
        findings.writers([]),
        findings.gpu([], False, None),
        findings.gpu(["H200"], True, "jax-cuda13-plugin 0.10"),
        findings.memory(None, 10**10),
        findings.open_files(4096),
    ]
    assert findings.worst(found) == "ok"
    assert {f.verdict for f in found} == {"ok"}


def test_the_worst_finding_decides() -> None:
    warn, fail = findings.open_files(10), findings.python((3, 9, 0))
    assert findings.worst([warn, findings.ok("x", "y")]) == "warn"
    assert findings.worst([warn, fail]) == "fail"


def test_the_file_system_is_that_of_the_innermost_and_latest_mount() -> None:
    assert mount_of(Path("/mnt/share/deep"), MOUNTS) == ("cifs", "/mnt/share")
    assert mount_of(Path("/mnt/my disk/x"), MOUNTS) == ("xfs", "/mnt/my disk")
    assert mount_of(Path("/mnt/shared"), MOUNTS) == ("ext4", "/")


def test_the_limit_of_the_control_group_is_read(tmp_path: Path) -> None:
    assert memory_limit(tmp_path) is None
    (tmp_path / "memory.max").write_text("max\n")
    assert memory_limit(tmp_path) is None
    (tmp_path / "memory.max").write_text("1000000\n")
    assert memory_limit(tmp_path) == 1_000_000


def test_who_has_the_record_open_is_seen(tmp_path: Path) -> None:
    file = tmp_path / "trainshed.db"
    file.write_text("")
    with file.open():
        assert holders(file) == []  # our own is not another program
    program = "import sys, signal; file = open(sys.argv[1]); print('open', flush=True); signal.pause()"
    with subprocess.Popen([sys.executable, "-c", program, str(file)], stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        assert holders(file) == [other.pid]
        other.kill()


def test_missing_secrets_are_named_and_values_never_shown(project: Path) -> None:
    with (project / "trainshed.toml").open("a") as file:
        file.write('\n[sources.api]\nkind = "http"\nurl = "env:SHOP_URL_THAT_IS_NOT_SET"\n')
        file.write('headers = { key = "file:key" }\n')
    (project / "key").write_text("very secret")
    finding = of_secrets(load_project(project))
    assert finding.verdict == "fail"
    assert "SHOP_URL_THAT_IS_NOT_SET is not set" in finding.fact
    assert "very secret" not in finding.fact + finding.remedy


@pytest.mark.slow
def test_a_certificate_of_the_endpoints_that_is_over_or_cannot_be_read_is_a_failure(project: Path) -> None:
    cert, key, asked = project / "c.pem", project / "c.key", project / "c.csr"
    with (project / "trainshed.toml").open("a") as file:
        file.write('\n[serving.tls]\ncert = "c.pem"\nkey = "c.key"\n')

    def said() -> tuple[str, str]:
        (found,) = [one for one in examine(project) if one.about == "certificate"]
        return found.verdict, found.fact

    assert said() == ("fail", f"serving.tls.cert: {cert}: it cannot be read: No such file or directory")
    made = ["req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=x", "-keyout", str(key), "-out", str(asked)]
    signed = ["x509", "-req", "-in", str(asked), "-signkey", str(key), "-out", str(cert), "-days"]
    subprocess.run(["openssl", *made], check=True, capture_output=True)
    subprocess.run(["openssl", *signed, "-1"], check=True, capture_output=True)
    assert said()[0] == "fail"
    assert "clients refuse it" in said()[1]
    subprocess.run(["openssl", *signed, "60"], check=True, capture_output=True)
    assert said()[0] == "ok"


def test_a_held_home_without_an_answer_is_a_failure(project: Path) -> None:
    home = Home(project / ".trainshed")
    prepare_home(home)
    lock = DaemonLock.take(home, Owner(pid=7, since="now", project="shop", version="0"))
    found = {finding.about: finding for finding in examine(project)}
    assert found["daemon"].verdict == "fail"
    with bind_socket(home.socket):
        found = {finding.about: finding for finding in examine(project)}
        assert found["daemon"].verdict == "ok"
    lock.release()


def test_without_a_project_the_machine_alone_is_looked_at() -> None:
    assert [f.about for f in examine(None)][-1] == "project"
