"""Which columns are taken, and in which order."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate

import torch

from .options import Options


def choose_columns(keys: Sequence[str], groups: Sequence[int], options: Options, *, timed: bool = False) -> list[int]:
    """Choose at most ``options.max_columns`` columns, and put them in order.

    Parameters
    ----------
    keys : sequence of str
        Name of each column for lexicographic order; columns stand in natural order.
    groups : sequence of int
        Number of columns in each group (a layer's channels). Random order shuffles inside groups only.
    options : Options
        `order`, `max_columns`, `subsample` and `seed` are read.
    timed : bool
        Whether the columns are moments in time: then an even choice takes every k-th, so that steps stay equal.

    Returns
    -------
    list of int

    Example
    -------
    >>> names = [f"layer-0-conv-{index}.png" for index in range(12)]
    >>> choose_columns(names, [12], Options(order="lexicographic", max_columns=6))
    [0, 11, 2, 4, 6, 8]
    """
    generator = torch.Generator(device="cpu").manual_seed(int(options.seed))
    chosen = _subsample(len(keys), options, generator, timed)
    if options.order == "lexicographic":
        return sorted(chosen, key=keys.__getitem__)
    if options.order == "random":
        return _shuffled_in_groups(chosen, groups, generator)
    return chosen


def _subsample(n_columns: int, options: Options, generator: torch.Generator, timed: bool) -> list[int]:
    most = options.max_columns
    if most is None or most >= n_columns:
        return list(range(n_columns))
    if options.subsample == "random":
        return sorted(torch.randperm(n_columns, generator=generator)[:most].tolist())
    if timed:
        return list(range(0, n_columns, -(-n_columns // most)))
    return [index * (n_columns - 1) // (most - 1) for index in range(most)]


def _shuffled_in_groups(chosen: list[int], groups: Sequence[int], generator: torch.Generator) -> list[int]:
    shuffled = []
    start = 0
    for stop in accumulate(groups):
        end = bisect_left(chosen, stop)
        shuffled += [chosen[start + place] for place in torch.randperm(end - start, generator=generator).tolist()]
        start = end
    return shuffled
