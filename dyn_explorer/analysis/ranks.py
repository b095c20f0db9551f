"""Ranks of every column of a matrix in one sort."""

from __future__ import annotations

import numpy as np


def rank_span(values: np.ndarray, ties: str) -> tuple[np.ndarray, np.ndarray]:
    """How many samples stand below each one, and how many below or beside it: (P, n) each.

    A sample takes up the ranks between; without ties that is one place.
    """
    order = np.argsort(values, axis=0, kind="stable")
    place = np.arange(float(len(values)))[:, None]
    first, last = np.broadcast_to(place, values.shape), np.broadcast_to(place + 1, values.shape)
    if ties == "average":
        ordered = np.take_along_axis(values, order, axis=0)
        changes = ordered[1:] != ordered[:-1]
        edge = np.ones((1, values.shape[1]), dtype=bool)
        first = np.maximum.accumulate(np.where(np.concatenate([edge, changes]), first, 0), axis=0)
        ends = np.where(np.concatenate([changes, edge]), last, len(values))
        last = np.minimum.accumulate(ends[::-1], axis=0)[::-1]
    below, above = np.empty(values.shape), np.empty(values.shape)
    np.put_along_axis(below, order, first, axis=0)
    np.put_along_axis(above, order, last, axis=0)
    return below, above
