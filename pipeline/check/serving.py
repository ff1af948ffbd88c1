"""`[serving]`: may its doors be opened as they are, and does the box have what it names?"""

from __future__ import annotations

from pipeline.check.findings import Findings
from pipeline.config import Project
from pipeline.serving.access import UNGUARDED_REMEDY, is_loopback, unguarded
from pipeline.serving.cores import available, require_cores
from pipeline.serving.tls import context_of
from store.errors import ProjectError, StorageError
from store.home import Home
from store.keyring import read_keyring


def check_serving(project: Project, home: Home, found: Findings) -> None:
    section = project.serving
    if section.tls is not None:
        try:
            context_of(project.root / section.tls.cert, project.root / section.tls.key)
        except ProjectError as error:
            found.error(error)
    try:
        require_cores(section.cores, available())
    except ProjectError as error:
        found.error(error)
    try:
        ring = read_keyring(home.serving.keys)
    except StorageError as error:
        found.error(error)
        return
    why = unguarded(section.access, section.host, keys=len(ring.keys) if ring else 0)
    if why is not None:
        found.fault("serving.host", why, UNGUARDED_REMEDY)
    elif section.tls is None and section.access != "open" and not is_loopback(section.host):
        found.note(
            "serving.host",
            f"requests to {section.host} are not encrypted, and neither are the keys in them",
            "name a certificate in [serving.tls], or have a proxy in front that has one",
        )
