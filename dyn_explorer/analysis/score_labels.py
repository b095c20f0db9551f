"""Labels that number the columns of class scores, checked."""

from __future__ import annotations

import numpy as np
import torch

from dyn_explorer.errors import DynExplorerError


def checked_labels(labels: object, n_samples: int, n_classes: int) -> np.ndarray:
    """Labels as int64, one per sample, each in 0..n_classes - 1.

    Raises
    ------
    DynExplorerError
        If there are none, they are no whole numbers, or they do not fit.
    """
    if labels is None:
        raise DynExplorerError("`labels` (=None): this compares classes, so it needs the class of each sample")
    given = np.asarray(labels.detach().cpu() if isinstance(labels, torch.Tensor) else labels)
    if given.dtype.kind not in "iu":
        raise DynExplorerError(f"`labels` of dtype {given.dtype} must be whole numbers: the class of each sample")
    if given.shape != (n_samples,):
        raise DynExplorerError(f"`labels` of shape {given.shape} must have one entry per sample: ({n_samples},)")
    if n_samples and not 0 <= given.min() <= given.max() < n_classes:
        raise DynExplorerError(
            f"`labels` run from {given.min()} to {given.max()}, and there are {n_classes} classes: 0 to "
            f"{n_classes - 1}; number them so"
        )
    return given.astype(np.int64)
