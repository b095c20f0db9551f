"""Columns that are moments in time: what each is called, when it is, and whether the steps are even."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

_RELATIVE_TOLERANCE = 1e-6


@dataclass(frozen=True)
class Steps:
    """The steps of a path.

    Parameters
    ----------
    kind : str
        "rotate", "shift" or "morph".
    labels : tuple of str
        One per step.
    times : tuple of float
        Where on the path each step lies, in `unit`.
    unit : str
        "degrees", "pixels" or "of the way".

    Example
    -------
    >>> Steps("rotate", ("0°", "90°"), (0.0, 90.0), "degrees").unit
    'degrees'
    """

    kind: str
    labels: tuple[str, ...]
    times: tuple[float, ...]
    unit: str


def even_step(times: Sequence[float]) -> float | None:
    """Return the distance between neighbours if it is the same everywhere and not zero, else None.

    Example
    -------
    >>> even_step([0.0, 2.5, 5.0]), even_step([0.0, 1.0, 5.0]), even_step([0.0, 1.0, 0.0])
    (2.5, None, None)
    """
    if len(times) < 2:
        return None
    step = (times[-1] - times[0]) / (len(times) - 1)
    gaps = [later - earlier for earlier, later in pairwise(times)]
    even = all(math.isclose(gap, step, rel_tol=_RELATIVE_TOLERANCE) for gap in gaps)
    return abs(step) if even and step else None
