"""`/v1/endpoints`: what is served, by whom, how fast; on and off."""

from __future__ import annotations

from fastapi import APIRouter

from daemon.api.shed import Actor, Here
from store.wire import Done, EndpointsRequest, EndpointsView

router = APIRouter(tags=["endpoints"])


@router.get("/endpoints")
def show(shed: Here) -> EndpointsView:
    """The serving processes, and each model that answers, with its numbers."""
    return shed.daemon.serving_room.view()


@router.post("/endpoints", status_code=202)
def switch(shed: Here, actor: Actor, request: EndpointsRequest) -> Done:
    """Serve, or not, whatever the project file says; null: what it says."""
    shed.daemon.endpoints.switch_on(request.on, actor)
    word = {True: "are being started", False: "are being stopped", None: "follow the project file"}[request.on]
    return Done(message=f"endpoints {word}")
