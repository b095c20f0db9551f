"""Inputs that every model can be given again, and that can travel to another process."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from ..capture.inputs import Target, batches
from ..errors import DynExplorerError

# Inputs as they come, for no model in particular.
_ANY = Target(device=None, dtypes=(), takes_integers=True, required_args=1, most_args=1)


def held(inputs: object, labels: object) -> tuple[object, object]:
    """Inputs and labels that can be used any number of times.

    Tensors, arrays, tuples and mappings are what they were; anything else, such as a DataLoader, is read to its end.

    Raises
    ------
    DynExplorerError
        The inputs hold nothing that can be kept as one tensor.

    Example
    -------
    >>> images, labels = held(iter([(torch.zeros(2, 3), torch.tensor([0, 1]))]), None)
    >>> images.shape, labels.tolist()
    (torch.Size([2, 3]), [0, 1])
    """
    if isinstance(inputs, (torch.Tensor, np.ndarray, tuple, Mapping)):
        return inputs, labels
    read = list(batches(inputs, labels, _ANY))
    if any(batch.kwargs or len(batch.args) != 1 for batch in read):
        raise DynExplorerError(
            "`inputs` yields several tensors for one sample; give them as one tuple or mapping of whole tensors"
        )
    shapes = {tuple(batch.main.shape[1:]) for batch in read}
    if len(shapes) > 1:
        raise DynExplorerError(f"`inputs` yields samples of several shapes {sorted(shapes)}; give samples of one shape")
    labelled = all(batch.labels is not None for batch in read)
    return torch.cat([batch.main for batch in read]), torch.cat([b.labels for b in read]) if labelled else None
