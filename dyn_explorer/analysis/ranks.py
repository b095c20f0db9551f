"""Ranks of every row of a matrix in one sort."""

from __future__ import annotations

import numpy as np


def rank_span(values: np.ndarray, ties: str) -> tuple[np.ndarray, np.ndarray]:
    """How many entries of its row stand below each entry, and how many below or beside it.

    An entry takes up the ranks between; without ties that is one place.

    Parameters
    ----------
    values : ndarray (n, P)
    ties : {"average", "arbitrary"}
        Equal entries share their ranks, or are ranked in the order of the columns.

    Returns
    -------
    below, above : ndarray (n, P), float64
    """
    order = np.argsort(values, axis=1, kind="stable")
    place = np.arange(float(values.shape[1]))
    below, above = np.empty(values.shape), np.empty(values.shape)
    first, last = np.broadcast_to(place, values.shape), np.broadcast_to(place + 1, values.shape)
    if ties == "average":
        ordered = np.take_along_axis(values, order, axis=1)
        changes = ordered[:, 1:] != ordered[:, :-1]
        if not changes.all():
            edge = np.ones((len(values), 1), dtype=bool)
            first = np.maximum.accumulate(np.where(np.concatenate([edge, changes], axis=1), first, 0), axis=1)
            ends = np.where(np.concatenate([changes, edge], axis=1), last, values.shape[1])
            last = np.minimum.accumulate(ends[:, ::-1], axis=1)[:, ::-1]
    np.put_along_axis(below, order, first, axis=1)
    np.put_along_axis(above, order, last, axis=1)
    return below, above
