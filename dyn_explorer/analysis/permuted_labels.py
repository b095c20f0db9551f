"""Means over the samples of classes, and how much they would vary if labels were dealt out anew: exact, no draws."""

from __future__ import annotations

import numpy as np


def class_means(
    parts: np.ndarray, classes: np.ndarray, counts: np.ndarray, used: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Mean over the samples of each class, and its deviation when as many are drawn from all of them.

    Parameters
    ----------
    parts : ndarray (C, m, P)
        What each sample adds to m numbers of each class.
    classes : ndarray (P,) of int
    counts : ndarray (C,) of int
        Samples of each class.
    used : ndarray (C,) of bool
        Classes that are looked at; the others are ``nan``.

    Returns
    -------
    means, deviations : ndarray (C, m)
    """
    means = np.full(parts.shape[:2], np.nan)
    spread = np.full(parts.shape[:2], np.nan)
    for index in np.flatnonzero(used):
        means[index] = parts[index][:, classes == index].mean(axis=1)
        left_out = 1 - counts[index] / len(classes)
        spread[index] = np.sqrt(parts[index].var(axis=1, ddof=1) / counts[index] * left_out)
    return means, spread


def mean_of_class_means(
    parts: np.ndarray, classes: np.ndarray, counts: np.ndarray, used: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Mean over classes of the means of their samples, and its deviation under permuted labels: (m,) each.

    A sum over samples of a number that depends on sample and label has a variance in closed form (Hoeffding). The
    parameters are those of `class_means`, but ``parts`` holds the used classes only.
    """
    if not used.any():
        return np.full(parts.shape[1], np.nan), np.full(parts.shape[1], np.nan)
    sizes, total = counts[used], len(classes)
    share = parts / (len(sizes) * sizes)[:, None, None]
    mean = sum(share[place][:, classes == index].sum(axis=1) for place, index in enumerate(np.flatnonzero(used)))
    # Samples of classes that are left out have labels that add nothing.
    by_sample = np.einsum("k,kmp->mp", sizes, share) / total
    by_label = share.mean(axis=2)
    middle = by_sample.mean(axis=1)
    centred = share - by_label[:, :, None] - by_sample + middle[:, None]
    squares = np.einsum("k,kmp->m", sizes, centred**2)
    rest = total - sizes.sum()
    squares = squares + rest * np.sum((middle[:, None] - by_sample) ** 2, axis=1)
    return mean, np.sqrt(squares / (total - 1))
