"""Class labels as a person gives them, as numbers from 0."""

from __future__ import annotations

import numpy as np
import torch

from dyn_explorer.errors import DynExplorerError


def checked_classes(labels: object, n_images: int) -> tuple[np.ndarray, np.ndarray]:
    """The classes in ascending order (C,), and each image's place among them (P,).

    Raises
    ------
    DynExplorerError
        If there is not one label per image, labels are neither whole numbers nor text, or all are equal.

    Example
    -------
    >>> classes, codes = checked_classes([7, 2, 7], 3)
    >>> classes.tolist(), codes.tolist()
    ([2, 7], [1, 0, 1])
    """
    if labels is None:
        raise DynExplorerError(
            "`labels` is None: separation is measured between classes, so give one class per image; a model's own "
            "predictions, outputs.argmax(dim=1), will do"
        )
    try:
        values = np.asarray(labels.detach().cpu() if isinstance(labels, torch.Tensor) else labels)
    except ValueError as error:  # lists of different lengths
        raise DynExplorerError(f"`labels` are no plain list with one class per image: {error}") from error
    if values.dtype.kind == "f" and values.size and np.isfinite(values).all() and (values == np.round(values)).all():
        values = values.astype(np.int64)
    if values.dtype.kind not in "iubUS":
        raise DynExplorerError(
            f"`labels` of type {values.dtype} must be whole numbers or text, one per image, not scores or one-hot rows"
        )
    if values.shape != (n_images,):
        raise DynExplorerError(f"`labels` has shape {values.shape} and `signals` {n_images} images; give one per image")
    classes, codes = np.unique(values, return_inverse=True)
    if len(classes) < 2:
        raise DynExplorerError(
            f"all {n_images} images are of one class ({classes[0]!s}); separation needs images of at least two"
        )
    return classes, codes
