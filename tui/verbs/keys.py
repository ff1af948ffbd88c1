"""`keys`: who may ask the served models from outside."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from tui.verbs.frame import Shell, group, verb

KeyName = Annotated[str, typer.Argument(metavar="NAME", help="Who uses it; see `trainshed keys`.")]


def add_to(app: typer.Typer) -> None:
    inner = group(app, "keys", purpose="API keys: who may ask the served models.", bare=list_keys)
    verb(inner, "add", example="trainshed keys add shop --models late --rate 50")(add)
    verb(inner, "list", example="trainshed keys list")(list_keys)
    verb(inner, "revoke", example="trainshed keys revoke shop")(revoke)


def add(
    shell: Shell,
    name: KeyName,
    models: Annotated[
        str, typer.Option(metavar="MODEL,…", help="It may ask these and no others; else it may ask all.")
    ] = "",
    rate: Annotated[float | None, typer.Option(metavar="NUMBER", help="Requests a second, at most.")] = None,
) -> None:
    """Make a key. It is printed this once, alone on standard output; only its hash is kept."""
    from pydantic import ValidationError

    from store.wire import KeyRequest
    from tui.failure import Usage

    named = [model.strip() for model in models.split(",") if model.strip()]
    try:
        request = KeyRequest(name=name, models=named, rate=rate)
    except ValidationError as error:
        fault = error.errors()[0]
        raise Usage(
            f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}",
            remedy="a name is lower case letters, digits, - and _; a rate is above 0",
        ) from None
    with shell.daemon() as daemon:
        made = daemon.add_key(request)
    shell.say(made, made.key)
    if not shell.as_json:
        shell.note(f"This is the only time the key of {name} is shown. Clients send it: Authorization: Bearer KEY")


def list_keys(shell: Shell) -> None:
    """Every key with what it may do, and whether the endpoints ask for one."""
    with shell.daemon() as daemon:
        view = daemon.keys()

    def draw() -> Any:
        from tui.draw.keys import keys

        return keys(view, shell.now)

    shell.show(view, draw)


def revoke(shell: Shell, name: KeyName) -> None:
    """From now on the key opens nothing; requests in hand are answered."""
    with shell.daemon() as daemon:
        view = daemon.revoke_key(name)
    shell.say(view, f"key {view.name} (ts_{view.id}_…) opens nothing any more")
