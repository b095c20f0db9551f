"""What the Filters panel computes: at once what follows the hand, afterwards what it is compared with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dyn_explorer import analysis, capture

if TYPE_CHECKING:
    import pandas as pd

    from .profile import LayerProfiles

Box = tuple[int, int, int, int]  # top, left, bottom and right in pixels; the last two are the first after it


@dataclass(frozen=True, eq=False)
class Directions:
    """A weight and its singular directions.

    Attributes
    ----------
    weight : LayerWeight
    found : FilterSVD
        With the strongest directions of each group, and all singular values.
    order : ndarray (n_directions, 2)
        Group and place of each of the strongest directions over all groups.
    sigma : ndarray (n,)
        All singular values of all groups, descending.
    spectrum : WeightSpectrum
    """

    weight: capture.LayerWeight
    found: analysis.FilterSVD
    order: np.ndarray
    sigma: np.ndarray
    spectrum: analysis.WeightSpectrum

    @property
    def edge(self) -> float:
        """Upper edge of the Marchenko-Pastur law, as a singular value; nan without a fit."""
        fit = self.spectrum.fit
        return float("nan") if fit is None else float(np.sqrt(fit.edge * max(self.found.shape)))

    def __len__(self) -> int:
        return len(self.order)

    def pattern(self, direction: int) -> np.ndarray:
        """Input pattern of a direction, (c, k, ...)."""
        return self.found.right[tuple(self.order[direction])]

    def outward(self, direction: int) -> np.ndarray:
        """Output direction, (d,)."""
        group, place = self.order[direction]
        return self.found.left[group, :, place]


@dataclass(frozen=True, eq=False)
class Excitement:
    """An input that drives the chosen direction far.

    Attributes
    ----------
    sample : int
    value : float
        Largest or smallest signal over positions.
    index : int
        Where, as a place in the flattened map.
    place : (x, y) or None
        The same, as shares of width and height; None where the signal has no map.
    box : Box or None
        Part of the input that the value looks at, which may reach beyond the input; it arrives a moment later.
    frame : (left, top, right, bottom) or None
        What of it lies within the input, as shares of width and height.
    """

    sample: int
    value: float
    index: int
    place: tuple[float, float] | None
    box: Box | None = None
    frame: tuple[float, float, float, float] | None = None


@dataclass(frozen=True, eq=False)
class Signals:
    """What the chosen direction answers to the inputs.

    Attributes
    ----------
    shown : ndarray (h, w) or (n,)
        Its map over the chosen input, or, where a layer has no positions, its signal for every input.
    is_map : bool
    most, least : tuple of Excitement
        Inputs with the largest and with the most negative signal.
    largest_mean : float
        Largest mean over positions that an input reaches.
    boxes_note : str
        How the parts of inputs were found where the receptive field is not known, or why there are none.
    """

    shown: np.ndarray
    is_map: bool
    most: tuple[Excitement, ...]
    least: tuple[Excitement, ...]
    largest_mean: float
    boxes_note: str = ""


@dataclass(frozen=True, eq=False)
class Neighbours:
    """Consecutive layers and the links between their directions.

    Attributes
    ----------
    names : tuple of str
    sigmas : tuple of ndarray
        Singular values of the directions that are drawn.
    synapses : tuple of DirectionSynapses
        Between each layer and the next.
    chosen : int
        Place of the chosen layer among them.
    """

    names: tuple[str, ...]
    sigmas: tuple[np.ndarray, ...]
    synapses: tuple[analysis.DirectionSynapses, ...]
    chosen: int


@dataclass(frozen=True, eq=False)
class Comparison:
    """What the layer's numbers stand beside.

    Attributes
    ----------
    shuffled : tuple of WeightSpectrum
        Of the same weights in random orders.
    untrained : WeightSpectrum or None
        Of an untrained copy; None with `untrained_reason`.
    untrained_reason : str
    gain : float
        Largest singular value of the layer as an operator; nan with `gain_reason`.
    gain_reason : str
    neighbours : Neighbours
    """

    shuffled: tuple[analysis.WeightSpectrum, ...]
    untrained: analysis.WeightSpectrum | None
    untrained_reason: str
    gain: float
    gain_reason: str
    neighbours: Neighbours

    @property
    def shuffled_eigenvalues(self) -> np.ndarray | None:
        """Eigenvalues of each shuffle, (shuffles, n)."""
        fits = [spectrum.fit for spectrum in self.shuffled if spectrum.fit is not None]
        return np.stack([fit.eigenvalues for fit in fits]) if fits else None


@dataclass(frozen=True, eq=False)
class FiltersResult:
    """What the Filters panel shows.

    Attributes
    ----------
    directions : Directions
        Of the chosen layer.
    direction : int
        The chosen one, from 0, the strongest first.
    signals : Signals or None
        None with `signals_reason`.
    signals_reason : str
    pictures : dict of int to ndarray
        The inputs that are drawn, as (H, W, 3) uint8, where inputs are pictures.
    input_shape : tuple of int
        Shape of one input.
    parts : tuple of str
        Weights of the chosen layer, where it has several.
    labels : tuple of int or None
        Class of each input.
    made : Maximised or None
        An image that was made to drive the chosen direction, if it was asked for.
    made_reason : str
        Why there is none although it was asked for.
    rows : DataFrame or None
        The layer table; None until it has been made.
    comparison : Comparison or None
        It arrives a moment later.
    profiles : LayerProfiles or None
        Influential neurons of the inputs; they arrive a moment later, unless they are off.
    profiles_reason : str
        Why there are none.
    """

    directions: Directions
    direction: int
    signals: Signals | None
    signals_reason: str
    pictures: dict[int, np.ndarray]
    input_shape: tuple[int, ...]
    parts: tuple[str, ...]
    labels: tuple[int, ...] | None = None
    made: capture.Maximised | None = None
    made_reason: str = ""
    rows: pd.DataFrame | None = None
    comparison: Comparison | None = None
    profiles: LayerProfiles | None = None
    profiles_reason: str = ""

    fit = property(lambda self: self.directions.spectrum.fit)
    singular_values = property(lambda self: self.directions.sigma)
