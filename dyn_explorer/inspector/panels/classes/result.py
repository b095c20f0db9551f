"""What the Classes panel computes: a hypergraph per layer, and what its separation is compared with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from dyn_explorer.analysis import ClassHypergraph, SeparationNull


@dataclass(frozen=True, eq=False)
class Controls:
    """The same layers where labels, weights or directions mean less.

    Attributes
    ----------
    permuted : tuple of SeparationNull
        Permuted labels, one per layer.
    channel : tuple of dict
        Numbers of `analysis.separation` along the channels of largest filters, one per layer.
    random : tuple of tuple of dict
        The same along each random basis.
    untrained : tuple of dict, or None
        Of an untrained copy, along its own singular directions.
    reason : str
        Why there is no untrained copy, or nothing.
    """

    permuted: tuple[SeparationNull, ...]
    channel: tuple[Mapping[str, float], ...]
    random: tuple[tuple[Mapping[str, float], ...], ...]
    untrained: tuple[Mapping[str, float], ...] | None
    reason: str

    def random_values(self, measure: str) -> np.ndarray:
        """One measure along each random basis, (draws, n_layers)."""
        return np.array([[numbers[measure] for numbers in draw] for draw in self.random])

    def permuted_values(self, measure: str) -> np.ndarray:
        """One measure under each permutation, (permutations, n_layers)."""
        return np.stack([null.values[measure] for null in self.permuted], axis=1)


@dataclass(frozen=True, eq=False)
class Drawing:
    """A hypergraph that is small enough to be drawn vertex by vertex: of few images, or else of classes.

    Attributes
    ----------
    edges : list of ndarray of int
        Vertices of each hyperedge.
    names : tuple of str
        Of the vertices.
    what : str
        "images" or "classes".
    """

    edges: list[np.ndarray]
    names: tuple[str, ...]
    what: str


@dataclass(frozen=True, eq=False)
class ClassesResult:
    """What the Classes panel shows.

    Attributes
    ----------
    layers : tuple of str
        Layers with directions, in the order of execution.
    separation : tuple of dict
        Numbers of `analysis.separation` of each layer.
    place : int
        Place of the layer whose hypergraph is shown.
    found : ClassHypergraph
        That hypergraph.
    gains : ndarray (r,)
        Singular values of its directions.
    class_names : tuple of str
    s : int
        At most the size of the largest hyperedge.
    edge : int
        Chosen hyperedge.
    pair : (int, int) or None
        Chosen pair of classes.
    sample : int
        Chosen image.
    images : ndarray of int
        Images of the chosen hyperedge, of largest weight first.
    pictures : tuple of ndarray or None
        Pictures of the first of them; None where inputs are no pictures.
    drawing : Drawing
    controls : Controls or None
        They arrive a moment later.
    """

    layers: tuple[str, ...]
    separation: tuple[Mapping[str, float], ...]
    place: int
    found: ClassHypergraph
    gains: np.ndarray
    class_names: tuple[str, ...]
    s: int
    edge: int
    pair: tuple[int, int] | None
    sample: int
    images: np.ndarray
    pictures: tuple[np.ndarray | None, ...]
    drawing: Drawing
    controls: Controls | None = None

    @property
    def layer(self) -> str:
        """Whose hypergraph is shown."""
        return self.layers[self.place]

    def values(self, measure: str) -> np.ndarray:
        """One measure of all layers, (n_layers,)."""
        return np.array([numbers[measure] for numbers in self.separation])

    def class_shares(self) -> np.ndarray:
        """Share of each class's images that each hyperedge holds, (n_edges, C)."""
        return self.found.class_counts / np.bincount(self.found.codes, minlength=len(self.class_names))
