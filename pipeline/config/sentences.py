"""The sentences under the fields of a section, read from its source when somebody is to be told them.

pydantic would read them whenever a section is defined, in each process: a sixth of what it takes to load all of them.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from itertools import pairwise

from pipeline.config.base import Section


def sentences(section: type[Section]) -> dict[str, str]:
    """By the names of the fields, inherited ones too. Empty where the source is not there to be read."""
    found: dict[str, str] = {}
    for above in reversed(section.__mro__):
        if issubclass(above, Section):
            found |= _own(above)
    return found


def _own(section: type[Section]) -> dict[str, str]:
    try:
        source = inspect.getsource(section)
    except OSError:
        return {}
    [definition] = ast.parse(textwrap.dedent(source)).body
    assert isinstance(definition, ast.ClassDef)
    found: dict[str, str] = {}
    for field, below in pairwise(definition.body):
        match field, below:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(sentence))):
                found[name] = inspect.cleandoc(sentence)
    return found
