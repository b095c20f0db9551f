"""What a person may ask of a decomposition, checked before anything is computed."""

from __future__ import annotations

import math
from numbers import Integral, Real

import numpy as np

from dyn_explorer.errors import DynExplorerError

RANK_TOLERANCE = 1e-10
FEWEST_SNAPSHOTS = 3


def checked_window(window: tuple[int, int] | None, n_snapshots: int) -> tuple[int, int]:
    """``(start, stop)`` in columns, stop exclusive; None is all of them."""
    if n_snapshots < FEWEST_SNAPSHOTS:
        raise DynExplorerError(
            f"the matrix has {n_snapshots} snapshots and dynamics need at least {FEWEST_SNAPSHOTS}; "
            "take more columns, or transpose it if its snapshots are rows"
        )
    if window is None:
        return 0, n_snapshots
    rule = (
        f"give (start, stop) in columns, stop exclusive, with 0 <= start, start + {FEWEST_SNAPSHOTS} <= stop "
        f"and stop <= {n_snapshots}"
    )
    try:
        start, stop = window
    except (TypeError, ValueError):
        raise DynExplorerError(f"`window` (={window!r}) is not a pair; {rule}") from None
    if not (is_integer(start) and is_integer(stop)):
        raise DynExplorerError(f"`window` (={window!r}) must hold whole numbers; {rule}")
    if not (0 <= start <= stop - FEWEST_SNAPSHOTS and stop <= n_snapshots):
        raise DynExplorerError(f"`window` (=({start}, {stop})) does not fit {n_snapshots} snapshots; {rule}")
    return int(start), int(stop)


def checked_rank(
    rank: int | float | None, singular_values: np.ndarray, window: tuple[int, int], n_features: int
) -> int:
    """Number of singular values to keep, for a whole number, an energy fraction, or None (relative tolerance)."""
    if singular_values[0] == 0:
        raise DynExplorerError(
            f"every snapshot of the window {window} but the last is zero, so there is nothing to decompose; "
            "choose another layer or input, or leave out dead maps"
        )
    if rank is None:
        return int(np.count_nonzero(singular_values > RANK_TOLERANCE * singular_values[0]))
    limit = len(singular_values)
    choices = "give a whole number, an energy fraction between 0 and 1, or None for a relative tolerance"
    if is_integer(rank):
        if not 1 <= rank <= limit:
            raise DynExplorerError(
                f"`rank` (={rank}) must lie in 1..{limit} for the window {window} of snapshots with "
                f"{n_features} features; {choices}"
            )
        if singular_values[rank - 1] == 0:
            nonzero = int(np.count_nonzero(singular_values))
            raise DynExplorerError(
                f"`rank` (={rank}) keeps singular values that are exactly zero in the window {window}; "
                f"choose at most {nonzero}, or None"
            )
        return int(rank)
    if isinstance(rank, Real) and not isinstance(rank, (bool, np.bool_)) and 0 < rank < 1:
        energy = np.cumsum((singular_values / singular_values[0]) ** 2)
        return min(int(np.searchsorted(energy, float(rank) * energy[-1])) + 1, limit)
    raise DynExplorerError(f"`rank` (={rank!r}) is not a rank for the window {window}; {choices}")


def checked_dt(dt: float) -> float:
    """A positive, finite time between snapshots."""
    if isinstance(dt, Real) and not isinstance(dt, bool) and math.isfinite(dt) and dt > 0:
        return float(dt)
    raise DynExplorerError(f"`dt` (={dt!r}) must be a positive, finite number: the time between two snapshots")


def is_integer(value: object) -> bool:
    """True for whole numbers, but not for booleans."""
    return isinstance(value, Integral) and not isinstance(value, (bool, np.bool_))
