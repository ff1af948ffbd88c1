"""Writes docs/reference from the code: `python docs/generate.py`, or `--check` to see whether it is up to date.

What a page says comes from the sentences beside the thing itself: fields of the project file, verbs of the command
line, classes of errors, routes of the API.
"""

from __future__ import annotations

import dataclasses
import inspect
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import typer.main
from fastapi import FastAPI
from fields import rows, sections

from daemon.api.app import add_routes
from pipeline.config.project import Project
from store import errors
from tui import failure
from tui.cli import app as command_line
from tui.keys import ACTIONS, TITLES, actions
from tui.screens import SCREENS
from tui.settings import UiSettings

REFERENCE: Final = Path(__file__).parent / "reference"
NOTE: Final = "<!-- Written by docs/generate.py from the code; `make docs` writes it anew. -->\n\n"


def main() -> int:
    """Writes the pages; with --check only says which are out of date, by exit status 1."""
    stale = [name for name, text in pages().items() if _on_disk(name) != text]
    if "--check" in sys.argv[1:]:
        for name in stale:
            print(f"docs/reference/{name} is not what the code says: run `make docs`")
        return 1 if stale else 0
    REFERENCE.mkdir(exist_ok=True)
    for name, text in pages().items():
        (REFERENCE / name).write_text(text, encoding="utf-8")
    print(f"{len(stale)} pages written" if stale else "nothing changed")
    return 0


def pages() -> dict[str, str]:
    """File name → text."""
    made: dict[str, Callable[[], str]] = {
        "project-file.md": project_file,
        "commands.md": commands,
        "errors.md": error_tree,
        "exit-codes.md": exit_codes,
        "api.md": api,
        "keys.md": keys,
    }
    return {name: NOTE + make().rstrip() + "\n" for name, make in made.items()}


def _on_disk(name: str) -> str | None:
    file = REFERENCE / name
    return file.read_text(encoding="utf-8") if file.exists() else None


# ---------------------------------------------------------------------------------------------- the project file


def project_file() -> str:
    parts = [
        "# The project file",
        "",
        "`trainshed.toml`. Unknown keys are refused; `trainshed check` says where, and what would be right.",
        'A *duration* is written `"90s"`, `"6h"` or `"1d 12h"` (ms, s, m, h, d, w), a *size* `"2GB"` (decimal), a',
        "*share* is a number from 0 to 1, a *reference* a literal or `env:NAME` or `file:PATH`, ",
        '*Python* is `"file.py:function"`.',
        "",
    ]
    for section in sections(Project):
        parts += [f"## `{section.heading}`", "", inspect.cleandoc(section.model.__doc__ or ""), ""]
        parts += ["| key | type | default | meaning |", "|---|---|---|---|"]
        parts += [f"| `{r.key}` | {r.type} | {r.default} | {r.meaning} |" for r in rows(section.model)]
        parts += [""]
    return "\n".join(parts)


# ------------------------------------------------------------------------------------------------------- commands


def commands() -> str:
    parts = [
        "# Commands",
        "",
        "Every verb has `--json` (one document on standard output, stable), `--project DIR` and `--help`.",
        "The project is the nearest `trainshed.toml` from the current folder upwards. [Exit codes](exit-codes.md).",
        "",
    ]
    for path, command in _commands(typer.main.get_command(command_line), "trainshed"):
        parts += [f"## `{path}`", "", inspect.cleandoc(command.help or ""), ""]
        own = [
            p
            for p in command.params
            if p.name not in ("project", "as_json", "help", "install_completion", "show_completion")
        ]
        parts += [f"- {_parameter(parameter)}" for parameter in own]
        parts += [""] if own else []
        parts += [f"    {command.epilog.removeprefix('Example: ')}", ""] if command.epilog else []
    return "\n".join(parts)


def _commands(command: Any, path: str) -> Iterator[tuple[str, Any]]:
    yield path, command
    for name, inner in getattr(command, "commands", {}).items():
        yield from _commands(inner, f"{path} {name}")


def _parameter(parameter: Any) -> str:
    names = ", ".join(f"`{name}`" for name in (*parameter.opts, *parameter.secondary_opts))
    if parameter.param_type_name == "argument":
        names = f"`{parameter.metavar or parameter.name.upper()}`"
    elif parameter.metavar:
        names += f" `{parameter.metavar}`"
    return f"{names}: {parameter.help}" if parameter.help else names


# --------------------------------------------------------------------------------------------------------- errors


def error_tree() -> str:
    parts = [
        "# Errors",
        "",
        "Every message says what happened, where, and what to do next, and is the same on the command line, in the API",
        "and in the record. `code` in JSON is the name of the class.",
        "",
        "```",
        *inspect.cleandoc(errors.__doc__ or "").splitlines()[2:-2],
        "```",
        "",
        "| code | means | exit status of a run | HTTP status | tried again |",
        "|---|---|---|---|---|",
    ]
    for kind in _classes(errors, errors.TrainshedError):
        again = "yes" if kind.retryable else ""
        parts.append(f"| `{kind.__name__}` | {_first_line(kind)} | {kind.exit_code} | {kind.http_status} | {again} |")
    parts += ["", "The command line has four of its own:", "", "| code | means | exit code |", "|---|---|---|"]
    parts += [f"| `{k.__name__}` | {_first_line(k)} | {k.exit_code} |" for k in _classes(failure, failure.Failure)]
    return "\n".join(parts)


def exit_codes() -> str:
    parts = [
        "# Exit codes",
        "",
        "Of the `trainshed` command:",
        "",
        "| code | means |",
        "|---|---|",
        "| 0 | done |",
        "| 1 | refused, or failed; with `--wait` also: the run did not succeed |",
        "| 2 | the command was not understood |",
        "| 3 | no daemon is running (or, for `up`, this home has its daemon already) |",
        "| 130 | interrupted from the keyboard |",
        "",
        "Of the process of a run, as `trainshed runs show` gives it (sysexits.h where it has a word):",
        "",
        "| status | errors |",
        "|---|---|",
        "| 0 | done |",
    ]
    by_status: dict[int, list[str]] = {}
    for kind in _classes(errors, errors.TrainshedError):
        by_status.setdefault(kind.exit_code, []).append(f"`{kind.__name__}`")
    by_status.setdefault(75, []).append("stopped as asked, with its work saved")
    parts += [f"| {status} | {', '.join(names)} |" for status, names in sorted(by_status.items())]
    return "\n".join(parts)


def _classes(module: ModuleType, base: type[Any]) -> list[Any]:
    members = vars(module).values()
    return [m for m in members if inspect.isclass(m) and issubclass(m, base) and m.__module__ == module.__name__]


def _first_line(thing: object) -> str:
    return inspect.cleandoc(thing.__doc__ or "").partition("\n")[0]


# ----------------------------------------------------------------------------------------------- the terminal UI


def keys() -> str:
    parts = [
        "# Keys and settings of the terminal UI",
        "",
        "`?` shows what is possible where you are, and runs it. An action marked ● changes something: it opens a plan",
        "first, and is not there under `--read-only` or in the past.",
        "",
    ]
    for scope in dict.fromkeys(action.scope for action in ACTIONS):
        parts += [f"## {TITLES[scope]}", "", "| key | action | what it does | id |", "|---|---|---|---|"]
        for action in actions(scope):
            shown = " ".join(f"`{key_display(key)}`" for key in action.keys.split(","))
            mark = "● " if action.dangerous else ""
            parts.append(f"| {shown} | {mark}{action.label} | {action.help} | `{action.id}` |")
        parts.append("")
    parts += ["## Screens", "", "| key | screen | also |", "|---|---|---|"]
    parts += [f"| `{e.key}` | `:{e.mode}` | {', '.join(f'`:{alias}`' for alias in e.aliases)} |" for e in SCREENS]
    parts += ["", "## Settings", "", "`~/.config/trainshed/tui.toml` (or below `$XDG_CONFIG_HOME`):", ""]
    parts += ["| setting | default | meaning |", "|---|---|---|"]
    defaults = UiSettings()
    for setting in dataclasses.fields(UiSettings):
        default = json.dumps(getattr(defaults, setting.name))
        parts.append(f"| `{setting.name}` | `{default}` | {setting.metadata['help']} |")
    example = '[keys]\n"runs.cancel" = "X"\n"list.bottom" = "end,G,ctrl+e"'
    return "\n".join([*parts, "", "Keys are replaced by the id of their action:", "", "```toml", example, "```"])


def key_display(key: str) -> str:
    """A key as it is written on a keyboard."""
    return _KEYS.get(key, key)


_KEYS: Final = {
    "colon": ":",
    "question_mark": "?",
    "minus": "-",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "plus": "+",
    "semicolon": ";",
    "at": "@",
    "slash": "/",
    "exclamation_mark": "!",
    "less_than_sign": "<",
    "left_curly_bracket": "{",
    "right_curly_bracket": "}",
    "greater_than_sign": ">",
    "asterisk": "*",
}


# ------------------------------------------------------------------------------------------------------------ API


def api() -> str:
    schema = _schema()
    parts = [
        "# The API",
        "",
        "HTTP over the unix socket `.trainshed/trainshed.sock`: `curl --unix-socket .trainshed/trainshed.sock",
        "http://localhost/v1/status`. The whole schema is at `/openapi.json`. Errors are `application/problem+json`",
        "with a remedy; lists are pages with `next`. Over TCP (`trainshed up --listen`) a token is needed.",
        "",
        "| request | what it does | parameters | answer |",
        "|---|---|---|---|",
    ]
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            what = operation.get("description", operation.get("summary", "")).split("\n\n")[0].replace("\n", " ")
            asked = ", ".join(f"`{p['name']}`" for p in operation.get("parameters", []) if p["in"] == "query")
            body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
            given = ", ".join(part for part in (asked, f"body {_reference(body)}" if body else "") if part)
            parts.append(f"| `{method.upper()} {path}` | {what} | {given} | {_answer(operation)} |")
    return "\n".join(parts)


def _schema() -> dict[str, Any]:
    """Of all routers; no daemon is needed to know what can be asked."""
    application = FastAPI()
    add_routes(application)
    return application.openapi()


def _answer(operation: dict[str, Any]) -> str:
    content = operation["responses"].get("200", {}).get("content", {})
    return ", ".join(_reference(kind.get("schema")) or name for name, kind in content.items())


def _reference(schema: dict[str, Any] | None) -> str:
    if not schema:
        return ""
    if "$ref" in schema:
        return f"`{schema['$ref'].rpartition('/')[2]}`"
    return str(schema.get("title") or schema.get("type") or "")


if __name__ == "__main__":
    sys.exit(main())
