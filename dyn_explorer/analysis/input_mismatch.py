"""How far new samples lie from those of their class that a model was trained on."""

from __future__ import annotations

import torch

from dyn_explorer.analysis.dmd_options import is_integer
from dyn_explorer.errors import DynExplorerError


def input_mismatch(
    inputs: object, labels: object, known_inputs: object, known_labels: object, *, rows: int = 1024
) -> float:
    """Mean distance from a sample to the nearest known one of its class, in the units of S50.

    The distance is the root mean square over the entries of an input, so it compares with the amplitude of noise: where
    S50 is smaller, a new sample lies outside the basins of the known ones. The definition is ours; the paper's is not
    known to us.

    Parameters
    ----------
    inputs : Tensor or array (P, ...)
        New samples, such as a test set.
    labels : sequence of int (P,)
    known_inputs : Tensor or array (Q, ...)
        Those of the training set.
    known_labels : sequence of int (Q,)
    rows : int, default 1024
        New samples at a time.

    Returns
    -------
    float
        Over the samples whose class is known; nan where there is none.

    Raises
    ------
    DynExplorerError
        Shapes or numbers of labels that do not fit, or bad rows.

    References
    ----------
    Lin, Zhang, Feng & Zhao, arXiv:2501.02436, compare basins with such a mismatch in grokking.

    Example
    -------
    >>> round(input_mismatch([[0.0, 0.0]], [1], [[0.3, 0.3], [0.0, 0.1]], [1, 0]), 6)
    0.3
    """
    if not is_integer(rows) or rows < 1:
        raise DynExplorerError(f"`rows` (={rows!r}) must be a whole number of at least 1")
    new, old = (torch.as_tensor(values).detach().cpu().double() for values in (inputs, known_inputs))
    classes, known = (torch.as_tensor(values).detach().cpu() for values in (labels, known_labels))
    if new.ndim < 2 or new.shape[1:] != old.shape[1:] or len(new) != len(classes) or len(old) != len(known):
        raise DynExplorerError(
            f"`inputs` {tuple(new.shape)} with {len(classes)} labels and `known_inputs` {tuple(old.shape)} with "
            f"{len(known)} labels do not fit: give samples of the same shape, first dimension samples, a label for each"
        )
    new, old = new.flatten(1), old.flatten(1)
    nearest = torch.cat(
        [
            # Not by way of scalar products, which lose the digits of small distances.
            torch.cdist(part, old, compute_mode="donot_use_mm_for_euclid_dist")
            .masked_fill(own[:, None] != known, torch.inf)
            .amin(1)
            for part, own in zip(new.split(rows), classes.split(rows), strict=True)
        ]
    )
    found = nearest[nearest.isfinite()] / new.shape[1] ** 0.5
    return float(found.mean()) if len(found) else float("nan")
