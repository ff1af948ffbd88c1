"""`/v1/keys`: who may ask the served models."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path

from daemon.api.part import part
from daemon.api.shed import Actor, Here
from store.wire import KeyMade, KeyRequest, KeysView, KeyView

router = part("keys")
KeyName = Annotated[str, Path(pattern=r"^[a-z][a-z0-9_-]{0,62}$")]


@router.get("/keys")
def list_keys(shed: Here) -> KeysView:
    """Each with what it may do, and whether the endpoints ask for one."""
    return shed.daemon.doors.view()


@router.post("/keys", status_code=201)
def add(shed: Here, actor: Actor, request: KeyRequest) -> KeyMade:
    """Makes a key, in force when this answers. It is told this once."""
    try:
        return shed.daemon.doors.add(request, actor)
    finally:
        shed.daemon.endpoints.wake()


@router.post("/keys/{name}/revoke")
def revoke(shed: Here, actor: Actor, name: KeyName) -> KeyView:
    """From its answer on the key opens nothing."""
    try:
        return shed.daemon.doors.revoke(name, actor)
    finally:  # what could not be published is tried again there
        shed.daemon.endpoints.wake()
