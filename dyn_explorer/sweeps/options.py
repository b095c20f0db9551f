"""How a sweep measures: the same for every model."""

from __future__ import annotations

from dataclasses import dataclass

from ..analysis import DMD_METHODS
from ..analysis.dmd_options import is_integer
from ..capture.options import check_choice
from ..errors import DynExplorerError
from ..tables import AXES


@dataclass(frozen=True)
class SweepOptions:
    """What decides the numbers beside the model and the inputs; it is part of every entry's name in the cache.

    Parameters
    ----------
    layers : tuple of str or None
        Layers that the dynamics are measured in; None for every layer with weights whose output is a set of maps.
    samples : int
        Samples, from the first, whose responses are decomposed.
    shuffles : int
        Random orders in a null, at least 2.
    axis, rank, method
        As for `dx.metrics_table`.
    seed : int
        Joined with the content of weights and inputs to seed every null.
    threads : int
        Torch's threads while one model is measured; sums depend on it in their last bits.

    Raises
    ------
    DynExplorerError
        An option cannot be used.

    Example
    -------
    >>> SweepOptions(samples=4).rank
    0.99
    """

    layers: tuple[str, ...] | None = None
    samples: int = 8
    shuffles: int = 5
    axis: str = "channel"
    rank: int | float | None = 0.99
    method: str = "exact"
    seed: int = 0
    threads: int = 1

    def __post_init__(self) -> None:
        for name, least in (("samples", 1), ("shuffles", 2), ("seed", 0), ("threads", 1)):
            value = getattr(self, name)
            if not is_integer(value) or value < least:
                raise DynExplorerError(f"`{name}` (={value!r}) must be a whole number of at least {least}")
        if self.layers is not None and not self.layers:
            raise DynExplorerError("`layers` is empty; name at least one layer, or leave it out")
        check_choice("axis", self.axis, AXES)
        check_choice("method", self.method, tuple(DMD_METHODS))
