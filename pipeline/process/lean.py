"""Programs of ours in which no code of a project runs, without pandas.

`python -P -m pipeline.process.lean MODULE ARGUMENTS` is `python -P -m MODULE ARGUMENTS` where pandas is not installed.
Arrow and scikit-learn load it wherever it is, to ask of each thing whether it is one of pandas': that is 0.3 seconds of
CPU, of the 0.7 that it takes to look whether there are new lines in a prediction log.

Not for workers: a source in Python may give Arrow what it has from pandas.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from types import ModuleType


def lean(module: str, arguments: Sequence[str]) -> list[str]:
    """The words behind the interpreter that start a program so."""
    # -P, so that a file of the user's in the current folder is never taken for ours.
    return ["-P", "-m", "pipeline.process.lean", module, *arguments]


class _WithoutPandas:
    """An import of it fails. None in `sys.modules`, the usual way, is taken for the module by what Cython compiles."""

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None, /) -> None:
        if fullname == "pandas":
            raise ModuleNotFoundError(f"No module named {fullname!r}: programs of ours do without it", name=fullname)


def main(arguments: Sequence[str]) -> None:
    import runpy

    sys.meta_path.insert(0, _WithoutPandas())
    sys.argv = list(arguments)
    runpy.run_module(arguments[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(sys.argv[1:])
