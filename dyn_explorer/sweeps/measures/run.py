"""What a training run recorded beside the weights that are measured."""

from __future__ import annotations

from collections.abc import Iterable

from ...errors import DynExplorerError
from ..finding import Finding
from ..look import Look
from .family import Family, number


def run(look: Look) -> Iterable[Finding]:
    """Each number of a `History`, at the epoch of the weights, under its name after ``run_``.

    Example
    -------
    >>> from dyn_explorer.sweeps.options import SweepOptions
    >>> look = Look(None, None, None, SweepOptions(), "", recorded={"loss": 0.5})
    >>> [(found.measure, found.value) for found in run(look)]
    [('run_loss', 0.5)]
    """
    if look.recorded is None:
        raise DynExplorerError("what a run recorded is known for the epochs of a History only")
    return [number(f"run_{name}", value) for name, value in look.recorded.items()]


RUN = Family("run", ("run",), run, by_default=True, needs="history")
