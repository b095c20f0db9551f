"""One number that a measure found, with what it is compared with."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One row of a sweep, without the model's name.

    Parameters
    ----------
    measure : str
        What was measured.
    value : float
        ``nan`` where it is undefined; then `error` says why.
    null : float
        What chance gives; ``nan`` where there is no null.
    n : int or None
        Sample size or rank that the value rests on.
    layer : str
        Empty for a measure of the whole model.
    error : str or None
        Why there is no value.

    Example
    -------
    >>> Finding("accuracy", 0.9, 0.1, 360).layer
    ''
    """

    measure: str
    value: float = math.nan
    null: float = math.nan
    n: int | None = None
    layer: str = ""
    error: str | None = None
