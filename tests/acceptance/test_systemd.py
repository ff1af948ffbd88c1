"""The unit under systemd itself: correct by systemd's own check, and runs survive its restarts, stops and kills."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import assets
from tests.acceptance.living import Living

pytestmark = pytest.mark.slow

UNIT = Path(assets.__file__).parent / "systemd" / "trainshed.service"
DAEMON = Path(sys.executable).parent / "trainshedd"
MANAGER = Path("/usr/lib/systemd/systemd")
JOBS = """
def rows_patient(cursor=None):
    while not os.path.exists("go"):
        time.sleep(0.05)
    yield table()
"""

# A user's manager of its own, in name spaces of its own: what is tried here touches no service of this machine.
SCRIPT = """
set -u
mount -t tmpfs tmpfs /run && mkdir -p /run/user/0 /run/systemd/system && chmod 700 /run/user/0 || exit 77
umount -R /sys/fs/cgroup 2> /dev/null
mount -t cgroup2 none /sys/fs/cgroup && mkdir -p "/sys/fs/cgroup/$GROUP" || exit 77
echo $$ > "/sys/fs/cgroup/$GROUP/cgroup.procs" || exit 77
setsid $MANAGER --user < /dev/null > "$HOME/manager.log" 2>&1 &
for i in $(seq 80); do systemctl --user is-system-running > /dev/null 2>&1 && break; sleep 0.25; done
systemctl --user is-system-running > /dev/null || exit 77

pid() { systemctl --user show trainshed -p MainPID --value; }
ready() { for i in $(seq 600); do [ "$(systemctl --user is-active trainshed)" = active ] && break; sleep 0.1; done; }
state() { $SHED runs show 1 --json | $PYTHON -c 'import json, sys; print(json.load(sys.stdin)["run"]["state"])'; }

systemctl --user start trainshed && echo "started"
$SHED run etl:patient > /dev/null
for i in $(seq 300); do [ "$(state)" = running ] && break; sleep 0.1; done
systemctl --user restart trainshed && echo "restarted: $(state)"
kill -9 "$(pid)"; sleep 0.5; ready
echo "killed: $(state), restarts $(systemctl --user show trainshed -p NRestarts --value)"
systemctl --user stop trainshed && echo "stopped: $(systemctl --user show trainshed -p Result --value)"
systemctl --user start trainshed && echo "again: $(state)"
touch "$PROJECT/go"
for i in $(seq 300); do [ "$(state)" = succeeded ] && break; sleep 0.1; done
echo "end: $(state), try $($SHED runs show 1 --json | grep -c '"number"')"
systemctl --user stop trainshed
"""


def unit_for(project: Path) -> str:
    """The unit, as somebody sets its two paths."""
    line = "ExecStart=%h/.local/bin/trainshedd --project %h/project"
    text = UNIT.read_text(encoding="utf-8")
    assert line in text
    return text.replace(line, f"ExecStart={DAEMON} --project {project}")


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd-analyze here")
def test_systemd_finds_no_fault_in_the_unit(tmp_path: Path) -> None:
    file = tmp_path / UNIT.name
    file.write_text(unit_for(tmp_path))
    said = subprocess.run(["systemd-analyze", "verify", str(file)], capture_output=True, text=True, check=False)
    assert UNIT.name not in said.stderr, said.stderr
    assert said.returncode == 0


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("unshare") is None, reason="name spaces need root and unshare")
@pytest.mark.skipif(not MANAGER.exists(), reason="there is no systemd here")
def test_a_run_survives_restart_kill_and_stop_of_the_service_and_is_adopted_each_time(tmp_path: Path) -> None:
    living, group = Living(tmp_path, JOBS), f"trainshed-test-{os.getpid()}"
    units = tmp_path / "home" / ".config" / "systemd" / "user"
    units.mkdir(parents=True)
    (units / UNIT.name).write_text(unit_for(tmp_path))
    environment = {
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": str(tmp_path / "home"),
        "XDG_RUNTIME_DIR": "/run/user/0",
        "MANAGER": str(MANAGER),
        "GROUP": f"{group}/manager",
        "PYTHON": sys.executable,
        "SHED": f"{DAEMON.parent / 'trainshed'} --project {tmp_path}",
        "PROJECT": str(tmp_path),
    }
    spaces = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "--mount", "--cgroup"]
    done = subprocess.run(
        [*spaces, "bash", "-c", SCRIPT], env=environment, capture_output=True, text=True, timeout=280, check=False
    )
    _remove(group)
    if done.returncode == 77:
        pytest.skip(f"no manager can be started here: {done.stderr[-300:]}")
    assert done.stdout.splitlines() == [
        "started",
        "restarted: running",
        "killed: running, restarts 1",
        "stopped: success",
        "again: running",
        "end: succeeded, try 1",
    ], done.stderr
    adopted = living.rows("SELECT count(*) FROM event WHERE kind = 'daemon.adopted'")
    assert adopted == [(3,)], "after the restart, the kill, and the stop"


def _remove(group: str) -> None:
    """The control group, empty by now, from the hierarchy that all name spaces share."""
    mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    for root in (Path(mount[1]) / group for mount in mounts if mount[2] == "cgroup2"):
        for folder in sorted(root.rglob("*/"), reverse=True):
            folder.rmdir()
        if root.exists():
            root.rmdir()
