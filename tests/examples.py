"""How many examples a property is tried with: by `make test`, and by `make explore`, which looks for new ones."""

from __future__ import annotations

from typing import Final

from hypothesis import HealthCheck, settings

_USUAL: Final = 100
_TIMES: Final = 10


def settle() -> None:
    """The profiles of Hypothesis; the option `--hypothesis-profile` takes another than the first.

    In `repeat` a test meets the same examples each time, so that what was changed fails it and chance does not. In
    `explore` they are fresh and ten times as many; what failed is kept in `.hypothesis`, to be tried first.
    How long an example takes says how busy the machine is: no test fails by it.
    """
    patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.register_profile("repeat", patient, max_examples=_USUAL, derandomize=True, database=None)
    settings.register_profile("explore", patient, max_examples=_USUAL * _TIMES, print_blob=True)
    settings.load_profile("repeat")


def examples(usual: int) -> int:
    """For a property whose examples are dear, or that needs many: `usual` of them in `make test`."""
    return usual * settings().max_examples // _USUAL
