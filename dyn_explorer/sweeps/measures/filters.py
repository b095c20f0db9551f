"""What the singular values of a layer's weights say, each layer for itself."""

from __future__ import annotations

import math

import torch

from .family import Family, of_each_weight
from .words import Words

WORDS = {
    "stable_rank": Words("stable rank", "Squared singular values, summed, over the largest one.", "an untrained copy")
}


def stable_rank(weight: torch.Tensor) -> tuple[float]:
    """Sum of the squares of the singular values over the largest square: 1 for one direction, at most the rank.

    A kernel is read as a matrix of output channels by all that each of them reads. It is ``nan`` for a weight of
    zeros.

    References
    ----------
    Rudelson & Vershynin, "Sampling from large matrices" (2007), doi:10.1145/1255443.1255449.

    Example
    -------
    >>> stable_rank(torch.diag(torch.tensor([2.0, 2.0, 1.0])))
    (2.25,)
    """
    squares = torch.linalg.svdvals(weight.flatten(1).double()) ** 2
    largest = float(squares[0])
    return (float(squares.sum()) / largest if largest > 0 else math.nan,)


FILTERS: Family = of_each_weight(
    "filters", ("stable_rank",), stable_rank, by_default=True, title="Filters", words=WORDS
)
