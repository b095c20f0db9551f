"""Whether profiles of one class are more alike than profiles of different ones, beside permuted labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dyn_explorer.analysis.class_labels import checked_classes
from dyn_explorer.errors import DynExplorerError


@dataclass(frozen=True, eq=False)
class ProfileSeparation:
    """Mean similarity of profiles within and between classes.

    Parameters
    ----------
    classes : ndarray (C,)
        In ascending order.
    by_class : ndarray (C, C)
        Mean similarity of pairs of different inputs, one of each class; nan where there is no such pair.
    within, between : float
        Mean over all pairs of different inputs of one class, and of two; nan without such pairs.
    null : ndarray (permutations,)
        The difference of the two, with permuted labels.

    Notes
    -----
    The measure is ours; DeepDataProfiler gives the similarities alone.
    """

    classes: np.ndarray
    by_class: np.ndarray
    within: float
    between: float
    null: np.ndarray

    @property
    def difference(self) -> float:
        """Within less between."""
        return self.within - self.between


def profile_separation(
    similarity: object, labels: object, *, permutations: int = 20, seed: int = 0
) -> ProfileSeparation:
    """Compare the similarity of profiles within classes with that between classes.

    Parameters
    ----------
    similarity : array (P, P)
        Of inputs, as `profile_similarity` gives it; pairs of nan are left out.
    labels : sequence (P,)
        Class of each.
    permutations : int, default 20
        Draws of the null: the same similarities with labels dealt out anew.
    seed : int, default 0
        Of the draws.

    Returns
    -------
    ProfileSeparation

    Raises
    ------
    DynExplorerError
        If the similarity is not square, or labels are not one class per input, of at least two classes.

    Example
    -------
    >>> found = profile_separation([[1, 0.8, 0.2], [0.8, 1, 0.4], [0.2, 0.4, 1]], [0, 0, 1])
    >>> round(found.within, 3), round(found.between, 3)
    (0.8, 0.3)
    """
    values = np.asarray(similarity, dtype=float)
    if values.ndim != 2 or values.shape[0] != values.shape[1]:
        raise DynExplorerError(f"`similarity` of shape {values.shape} must be square, one row and column per input")
    classes, codes = checked_classes(labels, len(values))
    known = np.isfinite(values) & ~np.eye(len(values), dtype=bool)
    filled = np.where(known, values, 0.0)
    sums, pairs = _blocks(filled, known, codes, len(classes))
    by_class = np.divide(sums, pairs, out=np.full_like(sums, np.nan), where=pairs > 0)
    generator = np.random.default_rng(seed)
    drawn = [_means(*_blocks(filled, known, generator.permutation(codes), len(classes))) for _ in range(permutations)]
    null = np.array([within - between for within, between in drawn])
    return ProfileSeparation(classes, by_class, *_means(sums, pairs), null)


def _blocks(filled: np.ndarray, known: np.ndarray, codes: np.ndarray, n_classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Sum of the similarities of each two classes, and the number of pairs."""
    members = np.eye(n_classes)[codes]
    return members.T @ filled @ members, members.T @ known @ members


def _means(sums: np.ndarray, pairs: np.ndarray) -> tuple[float, float]:
    """Mean over the pairs of one class, and over those of two."""
    own = np.eye(len(sums), dtype=bool)
    counts = pairs[own].sum(), pairs[~own].sum()
    totals = sums[own].sum(), sums[~own].sum()
    return tuple(float(total / count) if count else float("nan") for total, count in zip(totals, counts, strict=True))
