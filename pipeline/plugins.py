"""User code: the only place that loads it, by file path, and only in child processes."""

from __future__ import annotations

import hashlib
import importlib.util
import inspect
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from store.errors import ProjectError, TrainshedError


def load_function(project_root: Path, reference: str) -> Callable[..., Any]:
    """The function that `"file.py:function"` names, the file relative to the project.

    A file is loaded once in a process, so classes it defines keep their identity. It can import its neighbours:
    its folder goes to the end of the import path, where it hides nothing. Raises ProjectError.
    """
    file_name, _, name = reference.partition(":")
    file = inside(project_root, file_name, reference)
    if not file.is_file():
        raise ProjectError(f"there is no file {file}", where=reference, remedy="write it, or correct the path")
    module = _module(file, reference)
    function = getattr(module, name, None)
    if not callable(function):
        defined = ", ".join(sorted(n for n, v in vars(module).items() if inspect.isfunction(v))) or "none"
        raise ProjectError(
            f"{file_name} has no function {name!r} (it defines: {defined})",
            where=reference,
            remedy="define it, or correct the name after the colon",
        )
    return function  # type: ignore[no-any-return]


def call(function: Callable[..., Any], offered: Mapping[str, Any], *, where: str) -> Any:
    """Calls user code with those of the offered arguments that it asks for.

    Whatever it raises becomes a ProjectError with its file and line, except our own errors.
    """
    parameters = inspect.signature(function).parameters
    takes_all = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    lacking = [n for n, p in parameters.items() if p.default is p.empty and _is_plain(p) and n not in offered]
    if lacking:
        raise ProjectError(
            f"the function asks for {', '.join(lacking)}; it can have: {', '.join(offered)}",
            where=where,
            remedy="correct the names of its arguments, or give them defaults",
        )
    arguments = {n: v for n, v in offered.items() if takes_all or n in parameters}
    try:
        return function(**arguments)
    except TrainshedError:
        raise
    except Exception as error:
        raise user_fault(error, where) from error


def iterating(values: Any, where: str) -> Iterator[Any]:
    """What user code yields; whatever it raises on the way becomes a ProjectError with its file and line."""
    try:
        yield from values
    except TrainshedError:
        raise
    except Exception as error:
        raise user_fault(error, where) from error


def user_fault(error: BaseException, where: str) -> ProjectError:
    """What user code raised, with the innermost place in it."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if Path(f.filename) != Path(__file__)]
    place = f" ({Path(own[-1].filename).name}:{own[-1].lineno})" if own else ""
    return ProjectError(
        f"it raised {type(error).__name__}: {error}{place}", where=where, remedy="mend the function, then run again"
    )


def inside(project_root: Path, file_name: str, where: str) -> Path:
    """The file of that name in the project. Raises ProjectError when the name leads out of it."""
    root = project_root.resolve()
    file = (root / file_name).resolve()
    if not file.is_relative_to(root):
        raise ProjectError(
            f"{file_name} is outside of the project {root}", where=where, remedy="move the file into the project"
        )
    return file


def _module(file: Path, reference: str) -> ModuleType:
    name = f"trainshed_project_{hashlib.sha256(str(file).encode()).hexdigest()[:12]}_{file.stem}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ProjectError(f"{file} is not a Python file", where=reference, remedy="name a file that ends in .py")
    if str(file.parent) not in sys.path:
        sys.path.append(str(file.parent))
    module = importlib.util.module_from_spec(spec)
    # Registered before it runs, as `import` does: dataclasses and pickle look their module up by name.
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException as error:
        del sys.modules[name]
        if not isinstance(error, Exception):
            raise
        raise _load_fault(error, file, reference) from error
    return module


def _load_fault(error: Exception, file: Path, reference: str) -> ProjectError:
    lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if Path(f.filename) == file]
    line = error.lineno if isinstance(error, SyntaxError) else (lines[-1] if lines else None)
    place = f"{file.name}:{line}" if line else file.name
    return ProjectError(
        f"{place} cannot be loaded: {type(error).__name__}: {error}",
        where=reference,
        remedy="mend the file; `trainshed check` loads it without running anything else",
    )


def _is_plain(parameter: inspect.Parameter) -> bool:
    return parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
