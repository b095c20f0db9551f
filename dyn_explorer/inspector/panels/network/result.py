"""What the Network panel computes: strengths of every node layer, and of one in detail."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dyn_explorer.analysis import Ensemble, LayerGraph
from dyn_explorer.views import NodeColumn, Strand

BUNDLED_NODES = "conv3"  # where the demo network has no node layer of the chosen name


@dataclass(frozen=True, eq=False)
class Measured:
    """A graph with what was summed in it, under one choice of how links count.

    Attributes
    ----------
    graph : LayerGraph
    mean, fluctuation : ndarray (n_layers,)
        Of the strengths of each node layer; nan where no link is known.
    channel_means : tuple of ndarray
        Mean strength of each channel's nodes, per node layer.
    divergence : ndarray (n_layers, n_layers)
        Jensen-Shannon divergence of the strengths of each two node layers, in bits.
    """

    graph: LayerGraph
    mean: np.ndarray
    fluctuation: np.ndarray
    channel_means: tuple[np.ndarray, ...]
    divergence: np.ndarray


@dataclass(frozen=True, eq=False)
class Picture:
    """What the drawing of the graph shows around the chosen node layer.

    Attributes
    ----------
    columns : tuple of NodeColumn
    joins : tuple of (int, int, str, bool)
    strands : tuple of Strand
    selected : (int, int) or None
        Column and channel of the chosen node.
    nodes : tuple of str
        Value of the option ``node`` for each mark.
    """

    columns: tuple[NodeColumn, ...]
    joins: tuple[tuple[int, int, str, bool], ...]
    strands: tuple[Strand, ...]
    selected: tuple[int, int] | None
    nodes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Epochs:
    """Fluctuation of the chosen node layer over a training run.

    Attributes
    ----------
    epochs : ndarray (n,)
    fluctuation, null_mean, null_sd : ndarray (n,)
    """

    epochs: np.ndarray
    fluctuation: np.ndarray
    null_mean: np.ndarray
    null_sd: np.ndarray


@dataclass(frozen=True, eq=False)
class Comparison:
    """What takes longer: the nulls and the run.

    Attributes
    ----------
    mean, sd : ndarray (n_layers,)
        Fluctuation under shuffled weights.
    strengths : ndarray (shuffles, n_nodes)
        Of the chosen node layer under shuffled weights.
    untrained : ndarray (n_layers,) or None
        Fluctuation of an untrained copy.
    untrained_strengths : ndarray (n_nodes,) or None
        Of the chosen node layer in it.
    reason : str
        Why there is no untrained copy, or nothing.
    run : Epochs or None
    """

    mean: np.ndarray
    sd: np.ndarray
    strengths: np.ndarray
    untrained: np.ndarray | None
    untrained_strengths: np.ndarray | None
    reason: str
    run: Epochs | None


@dataclass(frozen=True, eq=False)
class Many:
    """Networks by accuracy.

    Attributes
    ----------
    found : Ensemble or None
        None where there is nothing to compare.
    bins : tuple of str
        Range of each bin.
    score : str
        Metric that was binned.
    runs : int
        Runs that the networks come from.
    reason : str
        Why there is nothing, or nothing.
    """

    found: Ensemble | None
    bins: tuple[str, ...] = ()
    score: str = ""
    runs: int = 0
    reason: str = ""

    def place(self, name: str) -> int:
        """The node layer of a name, or that of the demo network that stands for it."""
        names = self.found.names
        return names.index(name if name in names else BUNDLED_NODES if BUNDLED_NODES in names else names[0])


@dataclass(frozen=True, eq=False)
class OverData:
    """Neuron strength or activation of the chosen nodes: a reconstruction.

    Attributes
    ----------
    layer : str
        Whose outputs it is.
    label : str
        What it is, of which layer.
    mean : ndarray
        Over the inputs, in the shape of the nodes.
    edges, density : ndarray (n + 1,), (n,)
        Of all neurons and inputs together.
    inputs : int
        How many.
    """

    layer: str
    label: str
    mean: np.ndarray
    edges: np.ndarray
    density: np.ndarray
    inputs: int


@dataclass(frozen=True, eq=False)
class NetworkResult:
    """What the Network panel shows.

    Attributes
    ----------
    measured : Measured
    place : int
        The chosen node layer.
    strengths : ndarray
        Of its nodes, in their shape.
    data : OverData or None
        Where a measure over data is looked at instead.
    maps : ndarray (channels, h, w) or (n,)
        What is looked at, laid out as pictures.
    divergence : ndarray (n, n)
        Of what is compared.
    compared : tuple of str
        Names of what is compared, and `compared_rows`, the row of the table of each.
    choices : tuple of str
        Layer that each row of the table chooses.
    picture : Picture
    epoch : int or None
        Epoch that is looked at.
    comparison : Comparison or None
    many : Many or None
        Networks by accuracy, where they were asked for.
    """

    measured: Measured
    place: int
    strengths: np.ndarray
    data: OverData | None
    maps: np.ndarray
    divergence: np.ndarray
    compared: tuple[str, ...]
    compared_rows: tuple[int, ...]
    choices: tuple[str, ...]
    picture: Picture
    epoch: int | None
    comparison: Comparison | None = None
    many: Many | None = None

    @property
    def graph(self) -> LayerGraph:
        """The graph that is looked at."""
        return self.measured.graph

    @property
    def name(self) -> str:
        """Name of the chosen node layer."""
        return self.graph.nodes[self.place].name
