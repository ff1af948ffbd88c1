"""`python -P -m pipeline.exporting --project DIR MODEL@ALIAS --to TARGET [--into DIR] [--json]`."""

from __future__ import annotations

import argparse
import json
import os
import pwd
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.exporting.targets import NAMES, target_of
from pipeline.exporting.wanted import find
from store.errors import TrainshedError
from store.home import Home
from store.reading import reading

if TYPE_CHECKING:
    from pipeline.exporting.write import Exported


def main(argv: Sequence[str] | None = None) -> int:
    """Exit status: 0 exported, 1 refused or failed, 2 wrong usage."""
    parser = argparse.ArgumentParser("pipeline.exporting", description="Write a version as a folder for elsewhere.")
    parser.add_argument("reference", metavar="MODEL@ALIAS", help="or MODEL@NUMBER")
    parser.add_argument("--to", required=True, metavar="TARGET", help=", ".join(NAMES))
    parser.add_argument("--into", type=Path, metavar="DIR", help="by default MODEL-VERSION-TARGET here")
    parser.add_argument("--project", type=Path, required=True, metavar="DIR")
    parser.add_argument("--json", action="store_true", dest="as_json", help="one JSON object on standard output")
    given = parser.parse_args(argv)
    try:
        done = _export(Home.of_project(given.project), given.reference, given.to, given.into)
    except TrainshedError as error:
        fault = {"code": error.code, "detail": error.what, "where": error.where, "remedy": error.remedy}
        print(json.dumps(fault) if given.as_json else error, file=sys.stdout if given.as_json else sys.stderr)
        return 1
    print(json.dumps(_facts(done)) if given.as_json else _sentences(done))
    return 0


def _export(home: Home, reference: str, to: str, into: Path | None) -> Exported:
    target = target_of(to)
    with reading(home) as session:
        wanted = find(session, reference)
    # Only now: it imports jax, and what was asked for wrongly is to be said at once.
    from pipeline.exporting.write import Circumstances, export

    return export(
        home,
        wanted,
        target,
        (into or Path(f"{wanted.model}-{wanted.version}-{target.name}")).absolute(),
        Circumstances(
            at=datetime.now(UTC).isoformat(timespec="seconds"),
            by=_user(os.getuid()),
            python=f"{sys.version_info.major}.{sys.version_info.minor}",
        ),
    )


def _user(uid: int) -> str:
    """The login name; in a container without such an entry, the number itself."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


def _facts(done: Exported) -> dict[str, Any]:
    return {
        "folder": str(done.folder),
        "files": done.files,
        "bytes": done.bytes,
        "golden": {"difference": done.golden.difference, "tolerance": done.golden.tolerance},
        "provenance": done.provenance.model_dump(mode="json"),
        "next": done.next,
    }


def _sentences(done: Exported) -> str:
    origin = done.provenance
    named = f" ({origin.alias})" if origin.alias else ""
    lines = [
        f"{origin.model} {origin.version}{named} → {done.folder}: {done.files} files, {done.bytes / 1e6:.1f} MB",
        f"  every file of the version was compared, and its golden rows came back ({done.golden.difference:.2g} apart)",
        *(f"  → {line}" for line in done.next),
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
