"""What the parts of the API are made of."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.routing import APIRoute

from daemon.api import metrics, runs
from daemon.api.app import add_routes


def test_the_first_request_finds_all_routes_made() -> None:
    """A router that is included makes each of its routes again, with its models, once a request looks for it."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    add_routes(app)
    assert {type(route) for route in app.routes} == {APIRoute}
    assert all(route in app.routes for route in [*runs.router.routes, *metrics.router.routes])


def test_each_route_says_how_it_refuses_and_has_a_name_that_stays() -> None:
    app = FastAPI()
    add_routes(app)
    for path, methods in app.openapi()["paths"].items():
        for operation in methods.values():
            assert {"4XX", "5XX"} <= set(operation["responses"]), path
            assert operation["operationId"].startswith(f"{operation['tags'][0]}_"), path
            assert path == "/metrics" or path.startswith("/v1/"), path
