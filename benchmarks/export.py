"""An export where nothing is installed but its requirements: how large it is, and how long its cold start takes.

`python benchmarks/export.py [--target container|lambda] [--starts 5]` makes a version, exports it, makes an environment
from its requirements.txt by the command of its Containerfile, and asks it. Needs a package index.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from pipeline.exporting.write import Exported
from store.home import Home
from tests.unit.export.events import http_api
from tests.unit.export.shed import ROW, Shed

ZIP_LIMIT_MB = 250
"""Of a function of Lambda and its layers, unpacked."""
ASK_FUNCTION = """
import json, sys, time
event = json.loads(sys.argv[1])
began = time.perf_counter()
from handler import handler
cold = time.perf_counter()
first = handler(event, None)
warm = time.perf_counter()
for _ in range(200):
    handler(event, None)
print(json.dumps({"import_s": cold - began, "first_ms": (warm - cold) * 1e3,
                  "warm_ms": (time.perf_counter() - warm) * 5, "status": first["statusCode"]}))
"""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--target", choices=["container", "lambda"])
    parser.add_argument("--starts", type=int, default=5)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        shed = Shed(Home(folder / "home"))
        shed.version()
        targets = [given.target] if given.target else ["container", "lambda"]
        told = {
            name: measured(shed.export(folder / name, to=name), folder / f"env-{name}", given.starts)
            for name in targets
        }
        shed.shelf.record.close()
    print(json.dumps(told, indent=1))


def measured(exported: Exported, environment: Path, starts: int) -> dict[str, Any]:
    python, seconds = installed(exported.folder, environment)
    (site,) = environment.glob("lib/python3*/site-packages")
    sizes = {path.name: size_mb(path) for path in site.iterdir() if not path.name.startswith(("pip", "setuptools"))}
    largest = sorted(sizes.items(), key=lambda one: -one[1])[:6]
    subprocess.run([python, "-m", "compileall", "-q", str(exported.folder / "app")], check=True)
    start = container_start if exported.provenance.target == "container" else function_start
    found = [start(exported.folder, python) for _ in range(starts)]
    libraries = round(sum(sizes.values()), 1)
    return {
        "install_s": round(seconds, 1),
        "libraries_mb": libraries,
        "largest_mb": dict(largest),
        "export_mb": size_mb(exported.folder),
        "fits_a_lambda_zip": libraries <= ZIP_LIMIT_MB,
        **{name: round(statistics.median(one[name] for one in found), 3) for name in found[0]},
    }


def installed(folder: Path, environment: Path) -> tuple[str, float]:
    """By what the Containerfile runs, in a new environment."""
    (command,) = re.findall(r"^RUN python (-m pip install .+)$", (folder / "Containerfile").read_text(), re.M)
    venv.create(environment, with_pip=True)
    python, began = str(environment / "bin" / "python"), time.monotonic()
    subprocess.run([python, *command.split(), "--quiet"], cwd=folder, check=True)
    return python, time.monotonic() - began


def variables(folder: Path) -> dict[str, str]:
    (said,) = re.findall(r"^ENV (.+)$", (folder / "Containerfile").read_text().replace("\\\n", " "), re.M)
    return dict(pair.split("=", 1) for pair in said.split())


def container_start(folder: Path, python: str) -> dict[str, float]:
    """From the start of the process to the first answer; the CPU that this took, and the memory it holds then."""
    environment = {**variables(folder), "PYTHONPATH": str(folder / "app"), "TRAINSHED_PORT": "0"}
    began = time.monotonic()
    command = [python, "-P", "-m", "pipeline.standalone.serve", str(folder)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        asked = ask(ready["port"])
        seconds = time.monotonic() - began
        status = Path(f"/proc/{process.pid}/status").read_text()
        fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
        process.terminate()
    return {
        "cold_s": seconds,
        "cold_cpu_s": (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"),
        "resident_mb": int(re.findall(r"VmRSS:\s+(\d+)", status)[0]) / 1000,
        "status": asked,
    }


def ask(port: int) -> int:
    import httpx

    with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=30) as client:
        return client.post("/v1/predict/late", json=ROW).status_code


def function_start(folder: Path, python: str) -> dict[str, float]:
    """What Lambda's initialisation would do: import the handler. Then the first event, and those after it."""
    task = folder.parent / "task"
    shutil.copytree(folder / "app", task, dirs_exist_ok=True)
    shutil.copytree(folder / "model", task / "model", dirs_exist_ok=True)
    for name in ("handler.py", "provenance.json"):
        shutil.copy(folder / name, task / name)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    event = json.dumps(http_api("/v1/predict/late", json.dumps(ROW), stage="prod"))
    environment = {**variables(folder), "PYTHONPATH": str(task)}
    done = subprocess.run(
        [python, "-c", ASK_FUNCTION, event], env=environment, cwd=task, check=True, capture_output=True, text=True
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    told: dict[str, float] = json.loads(done.stdout)
    return {**told, "cold_cpu_s": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime}


def size_mb(path: Path) -> float:
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return round(sum(file.stat().st_size for file in files) / 1e6, 1)


if __name__ == "__main__":
    main()
