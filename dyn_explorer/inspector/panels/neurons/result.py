"""What the Neurons panel computes: layers and neurons at once; epochs, nulls and truncation afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from dyn_explorer import analysis


@dataclass(frozen=True, eq=False)
class LayerRanks:
    """One layer.

    Attributes
    ----------
    aligned : RankAlignment
        Of the neurons that were drawn.
    fields : ndarray (P, n)
        Their outputs.
    readout : ndarray (C, n)
        Weights that read them, once all above is linear.
    places : ndarray (n,) of int
        Where they stand in the layer's flattened output.
    shape : tuple of int
        Of the layer's output for one sample.
    """

    aligned: analysis.RankAlignment
    fields: np.ndarray
    readout: np.ndarray
    places: np.ndarray
    shape: tuple[int, ...]

    def name(self, index: int) -> str:
        """What a neuron is called: its number, or its place along each dimension."""
        place = np.unravel_index(self.places[index], self.shape)
        return ", ".join(map(str, place))

    def by_weight(self, category: int) -> np.ndarray:
        """Neurons in the order in which a class reads them, the largest weight first."""
        return np.argsort(-np.abs(self.readout[category]), kind="stable")


@dataclass(frozen=True, eq=False)
class NetworkRanks:
    """All hidden layers of one network.

    Attributes
    ----------
    layers : dict of str to LayerRanks
        Those that have a linear map, in the order in which they run.
    reasons : dict of str to str
        Why another has none.
    """

    layers: Mapping[str, LayerRanks]
    reasons: Mapping[str, str]

    @property
    def names(self) -> list[str]:
        """All hidden layers that can be recorded."""
        return [*self.layers, *self.reasons]


@dataclass(frozen=True, eq=False)
class Column:
    """The layers' G at one epoch, with both nulls, each (n_layers,); nan where there is none."""

    gradient: np.ndarray
    label_sd: np.ndarray
    sign_sd: np.ndarray


@dataclass(frozen=True, eq=False)
class NeuronsResult:
    """What the Neurons panel shows.

    Attributes
    ----------
    layer : str
        The chosen one.
    chosen : LayerRanks
        Of this layer.
    network : NetworkRanks
        Of the model that is looked at.
    labels : ndarray (P,) of int
    category, neuron : int
        The class, and the neuron as an index into `chosen`.
    epochs : tuple of int or None
        Columns of the heat map, None being the model as it is now; empty without checkpoints.
    columns : tuple of (Column or None)
        One for each epoch; None where it was not measured yet.
    epoch : int or None
        Epoch that is looked at.
    bn_stats, pooling : str
        As chosen.
    start : int or None
        First activation that is made the identity.
    truncation : Truncation or None
        It arrives a moment later, like `untrained`.
    untrained : dict of str to float
        G of an untrained copy, by layer.
    reason : str
        Why something is missing.
    """

    layer: str
    chosen: LayerRanks
    network: NetworkRanks
    labels: np.ndarray
    category: int
    neuron: int
    epochs: tuple[int | None, ...]
    columns: tuple[Column | None, ...]
    epoch: int | None
    bn_stats: str
    pooling: str
    start: int | None
    truncation: analysis.Truncation | None = None
    untrained: Mapping[str, float] | None = None
    reason: str = ""

    @property
    def n_classes(self) -> int:
        """Number of classes that the model tells apart."""
        return len(self.chosen.readout)
