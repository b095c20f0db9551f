"""Images and signed singular directions as a hypergraph, and how far it separates classes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from numbers import Real
from os import PathLike

import numpy as np
from scipy import sparse

from dyn_explorer.analysis import class_separation
from dyn_explorer.analysis.affine_layer import exact
from dyn_explorer.analysis.class_labels import checked_classes
from dyn_explorer.analysis.component_barcode import Barcode
from dyn_explorer.analysis.hyperedge_rules import RULES, influence_weights, quantile_weights
from dyn_explorer.analysis.hypergraph import Hypergraph
from dyn_explorer.analysis.hypergraph_export import to_hif, to_hypernetx, to_xgi
from dyn_explorer.errors import DynExplorerError


@dataclass(frozen=True, eq=False)
class ClassHypergraph:
    """A hypergraph whose vertices are images with a class, and whose hyperedges are signed directions of a layer.

    Parameters
    ----------
    hypergraph : Hypergraph
        Images are the vertices; ``hypergraph.dual`` has them as hyperedges.
    weights : sparse array (P, n_edges) of float64
        Beside each 1 of the incidence: the signal's magnitude (quantile), or its share of the image's accepted
        magnitudes (influence).
    classes : ndarray (C,)
        The labels, ascending.
    codes : ndarray (P,) of int
        Place of each image's label in `classes`.
    direction : ndarray (n_edges,) of int
        Column of the signals that each hyperedge belongs to.
    sign : ndarray (n_edges,) of int
        1 or -1: which end of the direction; 0 where both ends are one hyperedge.
    rule : str
        "quantile" or "influence".
    share : float
        The quantile, or tau.
    notes : tuple of str
        What to know before reading the numbers.
    """

    hypergraph: Hypergraph
    weights: sparse.csr_array
    classes: np.ndarray
    codes: np.ndarray
    direction: np.ndarray
    sign: np.ndarray
    rule: str
    share: float
    notes: tuple[str, ...] = ()

    @property
    def incidence(self) -> sparse.csr_array:
        """0 and 1, sparse (P, n_edges); with signs the columns are +0, -0, +1, -1, ..."""
        return self.hypergraph.incidence

    @cached_property
    def class_counts(self) -> np.ndarray:
        """Images of each class in each hyperedge, (n_edges, C)."""
        return class_separation.class_counts(self.incidence, self.codes, len(self.classes))

    @cached_property
    def purity(self) -> np.ndarray:
        """Largest class share of each hyperedge, (n_edges,); nan for an empty one. Read it beside the sizes."""
        return class_separation.purity(self.class_counts)

    @cached_property
    def entropy(self) -> np.ndarray:
        """Entropy of each hyperedge's class shares over ln C, (n_edges,): 0 for one class, 1 for equal shares."""
        return class_separation.entropy(self.class_counts)

    @property
    def mean_purity(self) -> float:
        """Mean purity over the hyperedges that hold anything; nan if none does."""
        held = self.purity[np.isfinite(self.purity)]
        return float(held.mean()) if len(held) else float("nan")

    @cached_property
    def jaccard_sums(self) -> tuple[np.ndarray, np.ndarray]:
        """Sums of Jaccard indices and numbers of ordered pairs of different images, per pair of classes."""
        return class_separation.class_jaccard_sums(self.incidence, self.codes, len(self.classes))

    @cached_property
    def class_jaccard(self) -> np.ndarray:
        """Mean Jaccard index of images of two classes, (C, C); nan where there is no pair.

        Of two images: hyperedges that hold both over hyperedges that hold either. The mean is over pairs of different
        images that both lie in some hyperedge.
        """
        sums, pairs = self.jaccard_sums
        return np.divide(sums, pairs, out=np.full(sums.shape, np.nan), where=pairs > 0)

    @property
    def jaccard_ratio(self) -> float:
        """Mean Jaccard index of all pairs within classes over that of all pairs between; see `jaccard_means`."""
        return class_separation.jaccard_means(*self.jaccard_sums)[2]

    def modularity(self, majority: str = "linear") -> float:
        """How much more often one class holds the majority of a hyperedge than with images drawn by degree alone.

        Parameters
        ----------
        majority : {"linear", "majority", "strict"}
            What a hyperedge counts for whose majority class has more than half of its images: that share, 1, or 1 only
            where all are of that class.

        References
        ----------
        Kamiński, Poulin, Prałat, Szufel & Théberge (2019), *Clustering via hypergraph modularity*, PLoS ONE 14,
        e0224307, doi:10.1371/journal.pone.0224307; as HyperNetX computes it.
        """
        return class_separation.modularity(self.class_counts, majority)

    def conductance(self, kind: str = "walk") -> np.ndarray:
        """How easily one leaves each class along hyperedges, (C,); nan for a class that lies in none.

        Parameters
        ----------
        kind : {"walk", "cut"}
            "walk": the chance that a random walk, to a random hyperedge around an image and on to a random image in it,
            leaves the class. "cut": summed sizes of the hyperedges that hold the class and others, over the class's
            volume; it exceeds 1 and says little where nearly all are mixed.

        References
        ----------
        Zhou, Huang & Schölkopf (2006), *Learning with hypergraphs*, NeurIPS 19, 1601-1608.
        """
        return class_separation.conductance(self.class_counts, kind)

    def class_level(self, theta: float = 0.5) -> Hypergraph:
        """Classes as vertices: a hyperedge holds a class where it holds at least a share `theta` of its images."""
        if not isinstance(theta, Real) or not 0 < theta <= 1:
            raise DynExplorerError(
                f"`theta` (={theta!r}) must lie above 0 and be at most 1: a share of a class's images"
            )
        shares = self.class_counts / np.bincount(self.codes, minlength=len(self.classes))
        return Hypergraph(sparse.csr_array((theta <= shares.T).astype(np.int64)))

    def s_components(self, s: int = 1) -> np.ndarray:
        """One component number per hyperedge; see `Hypergraph.s_components`."""
        return self.hypergraph.s_components(s)

    def s_line_graph(self, s: int = 1) -> sparse.csr_array:
        """Overlaps of at least `s` between hyperedges; see `Hypergraph.s_line_graph`."""
        return self.hypergraph.s_line_graph(s)

    @property
    def barcode(self) -> Barcode:
        """Components for every s; see `Barcode`."""
        return self.hypergraph.barcode

    def edge_names(self) -> tuple[str, ...]:
        """Such as "+0" and "-0"; without signs "0"."""
        symbols = {1: "+", -1: "-", 0: ""}
        return tuple(f"{symbols[int(s)]}{d}" for d, s in zip(self.direction, self.sign, strict=True))

    def to_hif(self, path: str | PathLike | None = None) -> dict:
        """In the Hypergraph Interchange Format, and as JSON in a file where `path` is given."""
        return to_hif(self, path)

    def to_xgi(self):
        """As an `xgi.Hypergraph`, where XGI is installed."""
        return to_xgi(self)

    def to_hypernetx(self):
        """As a `hypernetx.Hypergraph`, where HyperNetX is installed."""
        return to_hypernetx(self)


def class_hypergraph(
    signals: object,
    labels: object,
    *,
    rule: str = "quantile",
    quantile: float = 0.1,
    tau: float = 0.1,
    signed: bool = True,
) -> ClassHypergraph:
    """Read images and the directions that they drive as a hypergraph.

    The construction is ours: the paper below models class separation with hypergraphs over singular directions, and how
    is not public.

    Parameters
    ----------
    signals : tensor or array (P, r)
        Signal of each image along each direction, pooled over positions; as `pooled_signals` returns them. A flip of a
        direction's sign swaps its two hyperedges and changes nothing else.
    labels : sequence (P,)
        Class of each image: whole numbers or text.
    rule : {"quantile", "influence"}
        "quantile": a hyperedge holds the ``round(quantile * P)`` images at one end of a direction; ties are broken in
        one random order. "influence": it holds the images that it leads, by the prefix rule: an image's directions
        sorted by magnitude, up to a share `tau` of their sum, plus one more.
    quantile : float in (0, 1], default 0.1
        Share of the images per hyperedge, for rule "quantile".
    tau : float in [0, 1], default 0.1
        Share of an image's summed magnitudes, for rule "influence".
    signed : bool, default True
        Whether a direction's two ends are two hyperedges.

    Returns
    -------
    ClassHypergraph

    Raises
    ------
    DynExplorerError
        If signals or labels do not fit, there is one class only, or an option is out of its range.

    References
    ----------
    Praggastis, Brown, Ortiz Marrero, Purvine, Shapiro & Wang (2022), *The SVD of Convolutional Weights: A CNN
    Interpretability Framework*, arXiv:2208.06894; the prefix rule is that of its library DeepDataProfiler.

    Example
    -------
    >>> signals = np.array([[2.0], [1.9], [-1.0], [-1.1]])
    >>> found = class_hypergraph(signals, ["cat", "cat", "dog", "dog"], quantile=0.5)
    >>> found.incidence.toarray().tolist(), found.purity.tolist(), found.jaccard_ratio
    ([[1, 0], [1, 0], [0, 1], [0, 1]], [1.0, 1.0], inf)
    """
    values = _checked_signals(signals)
    classes, codes = checked_classes(labels, len(values))
    if rule not in RULES:
        raise DynExplorerError(f"`rule` (={rule!r}) must be one of {', '.join(map(repr, RULES))}")
    if rule == "quantile":
        share = _checked_share(quantile, "quantile")
        weights = quantile_weights(values, share, signed=signed)
    else:
        share = _checked_share(tau, "tau")
        weights = influence_weights(values, share, signed=signed)
    incidence = sparse.csr_array(
        (np.ones(weights.nnz, np.int64), weights.indices.copy(), weights.indptr.copy()), shape=weights.shape
    )
    directions = np.arange(values.shape[1])
    direction = np.repeat(directions, 2) if signed else directions
    sign = np.tile([1, -1], len(directions)) if signed else np.zeros(len(directions), int)
    notes = _notes(*values.shape, len(classes))
    return ClassHypergraph(Hypergraph(incidence), weights, classes, codes, direction, sign, rule, share, notes)


def _checked_signals(signals: object) -> np.ndarray:
    values = exact(signals, "signals").cpu().numpy()
    if values.ndim != 2:
        raise DynExplorerError(
            f"`signals` of shape {values.shape} must be (images, directions); pool over positions first, as "
            "`pooled_signals` does"
        )
    return values


def _checked_share(share: object, name: str) -> float:
    if isinstance(share, Real) and not isinstance(share, (bool, np.bool_)) and 0 <= share <= 1:
        return float(share)
    raise DynExplorerError(f"`{name}` (={share!r}) must be a share between 0 and 1")


def _notes(n_images: int, n_directions: int, n_classes: int) -> tuple[str, ...]:
    notes = []
    if n_images < n_directions:
        notes.append(
            f"There are fewer images ({n_images}) than directions ({n_directions}), so the directions cannot be told "
            "apart by these images; give more images or fewer directions."
        )
    if n_images < 2 * n_classes:
        notes.append(f"With {n_images} images of {n_classes} classes, most classes have no pair of images.")
    return tuple(notes)
