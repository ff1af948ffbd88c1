"""`endpoints`, `predict`, `predictions`: models that answer requests, a request to one, and what it was asked."""

from __future__ import annotations

import json
import sys
from typing import Annotated, Any

import typer

from tui.failure import Failure, Usage
from tui.verbs import complete
from tui.verbs.frame import Shell, group, verb
from tui.verbs.models import Model


def add_to(app: typer.Typer) -> None:
    inner = group(app, "endpoints", purpose="Models that answer requests: who answers, and how fast.", bare=show)
    verb(inner, "show", example="trainshed endpoints show --json")(show)
    verb(inner, "history", example="trainshed endpoints history late --minutes 10")(over_time)
    verb(inner, "start", example="trainshed endpoints start")(start)
    verb(inner, "stop", example="trainshed endpoints stop")(stop)
    verb(inner, "auto", example="trainshed endpoints auto")(auto)
    verb(app, "predict", example="""trainshed predict late -d '{"carrier": "AA", "distance": 733}'""")(predict)
    verb(app, "predictions", example="trainshed predictions late --last 5")(logged)


def show(shell: Shell) -> None:
    """Each served model with its version and numbers, and the processes that answer."""
    with shell.daemon() as daemon:
        view = daemon.endpoints()

    def draw() -> Any:
        from tui.draw.endpoints import endpoints

        return endpoints(view)

    shell.show(view, draw)


def over_time(
    shell: Shell,
    model: Annotated[
        str | None, typer.Argument(metavar="[MODEL]", help="Else all of them.", autocompletion=complete.models)
    ] = None,
    minutes: Annotated[int, typer.Option(min=1, max=2880, metavar="N", help="How far back; at most two days.")] = 60,
    points: Annotated[int, typer.Option(min=2, max=2000, metavar="N", help="At most so many of each version.")] = 20,
) -> None:
    """Requests a second, times, errors and what waited, of each version over time."""
    with shell.daemon() as daemon:
        view = daemon.endpoint_history(model, minutes=minutes, points=points)

    def draw() -> Any:
        from tui.draw.endpoints import history

        return history(view)

    shell.show(view, draw)


def start(shell: Shell) -> None:
    """Serve what is in production, whatever the project file says."""
    _switch(shell, True)


def stop(shell: Shell) -> None:
    """Serve nothing, whatever the project file says. Requests in hand are answered first."""
    _switch(shell, False)


def auto(shell: Shell) -> None:
    """Serve if `[serving]` of the project file has `enabled = true`, and only then."""
    _switch(shell, None)


def predict(
    shell: Shell,
    model: Model,
    data: Annotated[
        str, typer.Option("-d", "--data", metavar="JSON", help="A row, an array of rows, or `-` for standard input.")
    ],
    version: Annotated[
        int | None, typer.Option(metavar="NUMBER", help="This version; else the one that answers.")
    ] = None,
) -> None:
    """Asks the served model, as any client would: POST /v1/predict/MODEL, with the key in $TRAINSHED_API_KEY."""
    with shell.daemon() as daemon:
        view = daemon.endpoints()
    if view.url is None:
        raise Failure(
            "nothing is served", remedy=view.problem or "`trainshed endpoints start` serves what is in production"
        )
    path = f"/v1/predict/{model}" + ("" if version is None else f"/versions/{version}")
    key = shell.environ.get("TRAINSHED_API_KEY")
    answer = _ask(view.url, path, sys.stdin.read() if data == "-" else data, key=key, certificate=view.certificate)

    def draw() -> Any:
        from tui.draw.endpoints import predictions

        return predictions(answer)

    shell.show(answer, draw)


def logged(
    shell: Shell,
    model: Model,
    last: Annotated[int, typer.Option(min=1, max=500, help="How many.")] = 20,
    labels: Annotated[bool, typer.Option("--labels", help="With what turned out to be true.")] = False,
) -> None:
    """What the served model was asked and answered, newest first: the prediction log."""
    with shell.daemon() as daemon:
        view = daemon.predictions(model, last=last, labels=labels)

    def draw() -> Any:
        from tui.draw.predictions import logged as drawn

        return drawn(view, labels=labels)

    shell.show(view, draw)


def _switch(shell: Shell, on: bool | None) -> None:
    with shell.daemon() as daemon:
        done = daemon.switch_endpoints(on)
    shell.say(done, f"{done.message}; `trainshed endpoints` shows them")


def _ask(base: str, path: str, body: str, *, key: str | None, certificate: str | None) -> dict[str, Any]:
    """`certificate`: the file with the one that the endpoint shows; no other is accepted.

    Raises Usage for what is not JSON, Failure with the endpoint's own words.
    """
    import httpx

    url = base + path
    try:
        json.loads(body)
    except ValueError as error:
        raise Usage(
            f"the data are not JSON: {error}", remedy="""write -d '{"column": value, …}', or -d - < FILE"""
        ) from None
    try:
        headers = {"content-type": "application/json"} | ({"authorization": f"Bearer {key}"} if key else {})
        with httpx.Client(trust_env=False, timeout=60.0, verify=_only(certificate)) as client:
            answer = client.post(url, content=body.encode(), headers=headers)
        said: dict[str, Any] = answer.json()
    except (httpx.TransportError, OSError, ValueError) as error:
        raise Failure(f"the endpoint does not answer: {error}", where=url, remedy="`trainshed endpoints`") from None
    if answer.status_code == 401:
        remedy = "put a key into TRAINSHED_API_KEY; `trainshed keys add NAME` makes one"
        raise Failure(str(said.get("error")), where=url, remedy=remedy)
    if answer.is_error:
        remedy = f"{base}/openapi.json describes the columns; `trainshed endpoints` shows what is served"
        raise Failure(str(said.get("error")), where=url, remedy=remedy)
    return said


def _only(certificate: str | None) -> Any:
    """What accepts this certificate, whatever address it was made for: it is on this machine. Raises OSError."""
    import ssl

    if certificate is None:
        return True
    context = ssl.create_default_context(cafile=certificate)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context
