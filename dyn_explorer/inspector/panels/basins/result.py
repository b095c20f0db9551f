"""What the Basins panel computes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dyn_explorer.analysis import Basin, BasinPlane

NAMES = {"sample": "S50", "weight": "W50"}


@dataclass(frozen=True, eq=False)
class NoisyPicture:
    """One input as the model was asked about it.

    Attributes
    ----------
    caption : str
    picture : ndarray (H, W, 3) of uint8
    right : bool
    """

    caption: str
    picture: np.ndarray
    right: bool


@dataclass(frozen=True, eq=False)
class Chosen:
    """What is shown of the chosen sample.

    Attributes
    ----------
    sample : int
    basin : Basin
        Of this sample alone, over many draws.
    plane : BasinPlane
    pictures : tuple of NoisyPicture
        Empty where inputs are no pictures.
    """

    sample: int
    basin: Basin
    plane: BasinPlane
    pictures: tuple[NoisyPicture, ...]


@dataclass(frozen=True, eq=False)
class EpochBasins:
    """Both basins of a past epoch.

    Attributes
    ----------
    epoch : int
    sample, weight, accuracy : float
        S50 (nan without a sample space), W50, and the accuracy without noise on the same inputs.
    """

    epoch: int
    sample: float
    weight: float
    accuracy: float


@dataclass(frozen=True, eq=False)
class BasinsResult:
    """What the Basins panel shows.

    Attributes
    ----------
    basins : dict of str to Basin
        By space, "sample" (where the inputs are floating) and "weight"; a bisection first, the whole grid later.
    chosen : Chosen or None
        None where there is no sample space.
    sigma : float
        Amplitude of the noisy pictures.
    nulls : dict of str to Basin
        Of an untrained copy, by its own answers without noise; it arrives a moment later.
    layers : dict of str to Basin
        In weight space, one layer at a time; they arrive one by one.
    epochs : tuple of EpochBasins
        Of the history; they arrive one by one.
    run : tuple of int
        Epochs that the history has weights of.
    epoch : int or None
        Epoch that is chosen.
    reasons : dict of str to str
        Why a space or the nulls are missing.
    class_names : tuple of str or None
        What the person calls classes 0, 1, ...
    """

    basins: dict[str, Basin]
    chosen: Chosen | None
    sigma: float
    nulls: dict[str, Basin]
    layers: dict[str, Basin]
    epochs: tuple[EpochBasins, ...]
    run: tuple[int, ...]
    epoch: int | None
    reasons: dict[str, str]
    class_names: tuple[str, ...] | None = None

    @property
    def whole(self) -> bool:
        """Whether the curves are there in full."""
        return all(basin.search == "grid" for basin in self.basins.values())
